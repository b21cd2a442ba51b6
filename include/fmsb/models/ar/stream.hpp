#pragma once
#include "fmsb/core/error.hpp"             // usage_error, data_error
#include "fmsb/core/number_text.hpp"       // number_text, read_number
#include "fmsb/data/series.hpp"            // data::series
#include "fmsb/models/ar/difference.hpp"   // difference
#include "fmsb/models/ar/lag_gram.hpp"     // gram_of
#include "fmsb/models/ar/lag_moments.hpp"  // lag_moments
#include "fmsb/models/ar/model.hpp"        // model
#include "fmsb/models/ar/orders.hpp"       // fit_orders

#include <cstddef>      // std::size_t
#include <istream>      // std::istream
#include <limits>       // quiet_NaN
#include <ostream>      // std::ostream
#include <span>         // std::span
#include <string>       // std::string
#include <type_traits>  // std::is_arithmetic_v
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::ar {

/// An autoregression that learns while the data arrive: levels go in tick by tick or block by block, fits of
/// every order come out on demand. The state takes O(channels x max_order) memory whatever has been seen, and
/// states of several machines or files merge; the fits equal those of the batch.
///
/// A NaN is a gap: no sample spans it, and the channel starts anew after it.
class stream {
 public:
  struct options {
    std::size_t channels = 1;
    std::size_t max_order = 1;
    int differencing = 1;   ///< of the levels, on the fly
    double forgetting = 1;  ///< factor by which a sample's weight shrinks with every later tick
  };

  /// @throws usage_error when differencing is negative or lag_moments refuses the forgetting
  explicit stream(const options& o)
      : options_(o),
        moments_(o.channels, o.max_order, o.forgetting),
        recent_(static_cast<std::size_t>(require_differencing(o.differencing)) * o.channels,
                std::numeric_limits<double>::quiet_NaN()),
        now_(o.channels) {}

  const options& settings() const { return options_; }
  const lag_moments& moments() const { return moments_; }
  /// Weighted number of samples, all channels together.
  double count() const { return moments_.count(); }

  /// One level a channel, NaN where a channel has none. O(channels x max_order), nothing is allocated.
  void tick(std::span<const double> levels) {
    require_channels(levels.size());
    for (std::size_t c = 0; c < levels.size(); ++c) {
      double value = levels[c];
      double* last = recent_.data() + c * depth();  // last[k]: the newest value differenced k times
      for (std::size_t k = 0; k < depth(); ++k) {
        const double next = value - last[k];
        last[k] = value;
        value = next;
      }
      now_[c] = value;
    }
    moments_.tick(now_);  // a NaN until there are predecessors enough
  }

  /// The next rows of every channel: the same state as ticking through them.
  void append(const data::series& levels) {
    require_channels(levels.channels());
    std::vector<double> row(options_.channels);
    const auto tick_rows = [&](std::size_t first, std::size_t last) {
      for (std::size_t t = first; t < last; ++t) {
        for (std::size_t c = 0; c < row.size(); ++c) row[c] = levels.channel(c)[t];
        tick(row);
      }
    };
    // The first rows difference against what came before; the block knows the predecessors of the others.
    const std::size_t n = levels.length();
    if (n <= 2 * depth()) return tick_rows(0, n);
    tick_rows(0, depth());
    moments_.append(difference(levels, options_.differencing));
    remember(levels);
  }

  /// Multiplies the weight of all that was seen; see lag_moments::forget.
  void forget(double factor) { moments_.forget(factor); }

  /// Adds what another stream has seen. No sample spans both; this stream goes on from its own last row.
  /// @throws usage_error when order, differencing or forgetting differ
  void merge(const stream& other) {
    if (other.options_.differencing != options_.differencing)
      throw usage_error("fmsb::ar::stream::merge: one stream differences " +
                        std::to_string(options_.differencing) + " times, the other " +
                        std::to_string(other.options_.differencing) + " times; both must agree.");
    moments_.merge(other.moments_);
  }

  /// Fits of all orders 0..max_order, O(max_order^3) whatever has been seen.
  /// @throws data_error before there are samples enough, or for collinear lags (see fit_orders)
  order_path fit_orders() const {
    require_samples(options_.max_order);
    return ar::fit_orders(gram_of(moments_), options_.max_order, options_.differencing);
  }

  /// The fit of one order, on the sample that all orders share.
  model fit(std::size_t order) const {
    if (order > options_.max_order)
      throw usage_error("fmsb::ar::stream::fit: order " + std::to_string(order) +
                        " was asked for; the stream keeps lags up to " + std::to_string(options_.max_order) +
                        ".");
    require_samples(order);
    return fit_order(gram_of(moments_), order, options_.differencing);
  }

  /// Forecasts of one channel after its newest value.
  /// @throws data_error when the channel has seen fewer rows than the model reads since its last gap
  std::vector<double> forecast(const model& m, std::size_t channel, std::size_t horizon) const {
    const auto newest = moments_.newest(channel);
    if (m.differencing != options_.differencing || newest.size() < m.order)
      throw data_error("fmsb::ar::stream::forecast: channel " + std::to_string(channel) + " has " +
                       std::to_string(newest.size()) + " values of differencing " +
                       std::to_string(options_.differencing) + "; the model reads " +
                       std::to_string(m.order) + " of differencing " + std::to_string(m.differencing) + ".");
    model differenced = m;
    differenced.differencing = 0;
    const std::vector<double> history(newest.rbegin(), newest.rend());
    auto path = ar::forecast(differenced, history, horizon);
    for (std::size_t k = depth(); k-- > 0;) {
      double level = recent_[channel * depth() + k];
      for (auto& v : path) v = level += v;
    }
    return path;
  }

  /// Writes the state as text; numbers read back to the same bits.
  void save(std::ostream& out) const {
    const writer write{out};
    out << kTitle << '\n';
    write("channels", options_.channels);
    write("max_order", options_.max_order);
    write("differencing", options_.differencing);
    write("forgetting", options_.forgetting);
    stream copy = *this;
    copy.each_field(write);
  }

  /// @throws data_error when the text is not a state that `save` wrote
  static stream load(std::istream& in) {
    std::string title;
    std::getline(in, title);
    if (title != kTitle)
      throw data_error("fmsb::ar::stream::load: the text does not begin with \"" + std::string(kTitle) +
                       "\"; it is no saved stream, or one of another version.");
    reader read{in};
    options o;
    read("channels", o.channels);
    read("max_order", o.max_order);
    read("differencing", o.differencing);
    read("forgetting", o.forgetting);
    stream s(o);
    s.each_field(read);
    return s;
  }

 private:
  static constexpr const char* kTitle = "fmsb autoregression stream 1";

  struct writer {
    std::ostream& out;
    template <class Value>
    void operator()(const char* name, const Value& value) const {
      out << name;
      if constexpr (std::is_arithmetic_v<Value>) {
        out << ' ' << number_text(value);
      } else {
        out << ' ' << value.size();
        for (double v : value) out << ' ' << number_text(v);
      }
      out << '\n';
    }
  };

  struct reader {
    std::istream& in;
    template <class Number>
    Number number(const char* name) const {
      std::string word;
      in >> word;
      const auto value = read_number<Number>(word);
      if (!value)
        throw data_error("fmsb::ar::stream::load: \"" + word + "\" stands where a number of \"" + name +
                         "\" belongs; the saved state is damaged or cut.");
      return *value;
    }
    template <class Value>
    void operator()(const char* name, Value& value) const {
      std::string word;
      in >> word;
      if (word != name)
        throw data_error("fmsb::ar::stream::load: \"" + word + "\" stands where \"" + name +
                         "\" belongs; the saved state is damaged or cut.");
      if constexpr (std::is_arithmetic_v<Value>) {
        value = number<Value>(name);
      } else {
        if (number<std::size_t>(name) != value.size())
          throw data_error("fmsb::ar::stream::load: \"" + std::string(name) + "\" should hold " +
                           std::to_string(value.size()) + " numbers; the saved state is damaged.");
        for (auto& v : value) v = number<double>(name);
      }
    }
  };

  template <class Archive>
  void each_field(Archive&& archive) {
    archive("recent", recent_);
    moments_.each_field(archive);
  }

  std::size_t depth() const { return static_cast<std::size_t>(options_.differencing); }

  // last[k] of every channel from the end of a block of more than `depth` rows
  void remember(const data::series& levels) {
    const auto tail = levels.slice(levels.length() - depth(), levels.length());
    for (std::size_t c = 0; c < options_.channels; ++c) {
      std::vector<double> y(tail.channel(c).begin(), tail.channel(c).end());
      for (std::size_t k = 0; k < depth(); ++k) {
        recent_[c * depth() + k] = y.back();
        for (std::size_t t = y.size(); t-- > 1;) y[t] -= y[t - 1];
        y.erase(y.begin());
      }
    }
  }

  static int require_differencing(int times) {
    if (times < 0)
      throw usage_error("fmsb::ar::stream: differencing counts from 0; got " + std::to_string(times) + ".");
    return times;
  }

  void require_channels(std::size_t given) const {
    if (given != options_.channels)
      throw usage_error("fmsb::ar::stream: this stream follows " + std::to_string(options_.channels) +
                        " channels; got " + std::to_string(given) + ".");
  }

  void require_samples(std::size_t order) const {
    if (!(count() > 0))
      throw data_error("fmsb::ar::stream: there is no sample yet; the first one of order " +
                       std::to_string(order) + " comes with row " +
                       std::to_string(options_.max_order + depth() + 1) + " of a channel.");
  }

  options options_;
  lag_moments moments_;
  std::vector<double> recent_;  // [channels, differencing]
  std::vector<double> now_;     // [channels], room for a tick
};

}  // namespace fmsb::ar
