#pragma once
#include "fmsb/core/elementary.hpp"      // log, exp, sqrt, rounded
#include "fmsb/core/error.hpp"           // usage_error
#include "fmsb/core/fixed_string.hpp"    // fixed_string
#include "fmsb/core/number_text.hpp"     // number_text
#include "fmsb/space/all_different.hpp"  // all_different

#include <algorithm>    // std::min, std::clamp
#include <array>        // std::array
#include <concepts>     // std::convertible_to, std::integral
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::common_type, std::is_arithmetic_v

namespace fmsb::space {

/// A member of a hyper-parameter struct: a value together with the distribution that it is drawn from.
///
/// The type tells what may be drawn: `quantile(u)` maps 0 < u < 1 to a value (the inverse of the
/// distribution function, so that grids, Latin hypercubes and low-discrepancy points serve as well as
/// random numbers), `contains(v)` is the support, `description()` names it. The object holds one value of
/// that support and reads as it. Any class of this form may stand in a hyper-parameter struct.
template <class T>
concept distribution = requires(const T& held, const typename T::value_type& v) {
  { T::quantile(0.5) } -> std::same_as<typename T::value_type>;
  { T::contains(v) } -> std::same_as<bool>;
  { T::description() } -> std::convertible_to<std::string>;
  { held.value() } -> std::same_as<typename T::value_type>;
  T(v);
};

namespace detail {

template <class Value>
std::string value_text(const Value& value) {
  if constexpr (std::same_as<Value, bool>)
    return value ? "true" : "false";
  else if constexpr (std::same_as<Value, std::string_view>)
    return std::string(value);
  else
    return number_text(value);
}

template <class Value>
[[noreturn]] void value_is_outside_of_the_distribution(const Value& value, const std::string& description) {
  throw usage_error("The value " + value_text(value) + " does not belong to " + description + ".");
}

/// What the distributions below have alike: the value, its default and the check on the way in.
template <class Self, class Value>
class drawn {
 public:
  using value_type = Value;

  /// The typical value: the median, or the first of a list.
  constexpr drawn() : value_(Self::typical()) {}

  /// @throws usage_error  if the value is outside of the support
  template <std::convertible_to<Value> Given>
  requires(!std::derived_from<Given, drawn> &&
           !(std::integral<Value> && std::floating_point<Given>)) constexpr drawn(const Given& given)
      : value_(static_cast<Value>(given)) {
    if (!Self::contains(value_)) value_is_outside_of_the_distribution(value_, Self::description());
    value_ = Self::owned(value_);
  }

  constexpr Value value() const { return value_; }
  constexpr operator Value() const { return value_; }

  static constexpr Value typical() { return Self::quantile(0.5); }

  // numbers compare by their built-in operators, words by these
  friend constexpr bool operator==(const Self& a, const Self& b) requires(!std::is_arithmetic_v<Value>) {
    return a.value() == b.value();
  }
  template <std::convertible_to<Value> Other>
  requires(!std::is_arithmetic_v<Value>) friend constexpr bool operator==(const Self& a, const Other& b) {
    return a.value() == static_cast<Value>(b);
  }

 protected:
  static constexpr Value owned(Value value) { return value; }

 private:
  Value value_;
};

constexpr bool is_finite(double x) { return x - x == 0; }

/// The quantile of the standard normal distribution, relative error about 1e-16.
/// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
/// Statistics 37 (1988), routine PPND16.
constexpr double normal_quantile(double u) {
  const auto horner = [](const std::array<double, 8>& c, double r) {
    double sum = 0;
    for (std::size_t i = c.size(); i-- > 0;) sum = elementary::rounded(sum * r) + c[i];
    return sum;
  };
  const double q = u - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    constexpr std::array above{3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                               1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                               3.3430575583588128105e+4, 2.5090809287301226727e+3};
    constexpr std::array below{1.0,
                               4.2313330701600911252e+1,
                               6.8718700749205790830e+2,
                               5.3941960214247511077e+3,
                               2.1213794301586595867e+4,
                               3.9307895800092710610e+4,
                               2.8729085735721942674e+4,
                               5.2264952788528545610e+3};
    const double r = 0.180625 - elementary::rounded(q * q);
    return q * horner(above, r) / horner(below, r);
  }
  double r = elementary::sqrt(-elementary::log(q < 0 ? u : 1 - u));
  double result = 0;
  if (r <= 5) {
    constexpr std::array above{1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                               3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
    constexpr std::array below{1.0,
                               2.05319162663775882187e0,
                               1.67638483018380384940e0,
                               6.89767334985100004550e-1,
                               1.48103976427480074590e-1,
                               1.51986665636164571966e-2,
                               5.47593808499534494600e-4,
                               1.05075007164441684324e-9};
    r -= 1.6;
    result = horner(above, r) / horner(below, r);
  } else {
    constexpr std::array above{6.65790464350110377720e0,  5.46378491116411436990e0,
                               1.78482653991729133580e0,  2.96560571828504891230e-1,
                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
    constexpr std::array below{1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};
    r -= 5;
    result = horner(above, r) / horner(below, r);
  }
  return q < 0 ? -result : result;
}

}  // namespace detail

/// Every real number from Low to High equally likely.
template <double Low, double High>
class uniform : public detail::drawn<uniform<Low, High>, double> {
  static_assert(Low < High && detail::is_finite(Low) && detail::is_finite(High),
                "fmsb::space::uniform: the bounds must be finite, the lower one first");

 public:
  using detail::drawn<uniform, double>::drawn;

  static constexpr double quantile(double u) {
    const double width = High - Low;
    const double above = elementary::rounded(width * u);
    return std::clamp(Low + above, Low, High);
  }
  static constexpr bool contains(double v) { return v >= Low && v <= High; }
  static std::string description() { return "uniform(" + number_text(Low) + ", " + number_text(High) + ")"; }
};

/// A positive number from Low to High whose logarithm is uniform: every decade equally likely.
template <double Low, double High>
class log_uniform : public detail::drawn<log_uniform<Low, High>, double> {
  static_assert(Low > 0 && Low < High && detail::is_finite(High),
                "fmsb::space::log_uniform: the bounds must be positive and finite, the lower one first");

 public:
  using detail::drawn<log_uniform, double>::drawn;

  static constexpr double quantile(double u) {
    constexpr double low = elementary::log(Low);
    constexpr double width = elementary::log(High) - low;
    const double above = elementary::rounded(width * u);
    return std::clamp(elementary::exp(low + above), Low, High);
  }
  static constexpr bool contains(double v) { return v >= Low && v <= High; }
  static std::string description() {
    return "log_uniform(" + number_text(Low) + ", " + number_text(High) + ")";
  }
};

/// The normal distribution.
template <double Mean, double Deviation>
class normal : public detail::drawn<normal<Mean, Deviation>, double> {
  static_assert(
      Deviation > 0 && detail::is_finite(Mean) && detail::is_finite(Deviation),
      "fmsb::space::normal: the mean must be finite and the standard deviation positive and finite");

 public:
  using detail::drawn<normal, double>::drawn;

  static constexpr double quantile(double u) {
    const double above = elementary::rounded(Deviation * detail::normal_quantile(u));
    return Mean + above;
  }
  static constexpr bool contains(double v) { return detail::is_finite(v); }
  static std::string description() {
    return "normal(" + number_text(Mean) + ", " + number_text(Deviation) + ")";
  }
};

/// First, First + Step, ..., not above Last: each integer equally likely. Both ends belong to it.
template <std::int64_t First, std::int64_t Last, std::int64_t Step = 1>
class uniform_integer : public detail::drawn<uniform_integer<First, Last, Step>, std::int64_t> {
  static_assert(Step > 0, "fmsb::space::uniform_integer: the step must be at least 1");
  static_assert(First < Last, "fmsb::space::uniform_integer: the first integer must be below the last");
  static_assert(First >= -(std::int64_t{1} << 51) && Last <= (std::int64_t{1} << 51),
                "fmsb::space::uniform_integer: the integers must lie within 2^51 of 0");
  static constexpr std::int64_t choices = (Last - First) / (Step > 0 ? Step : 1) + 1;

 public:
  using detail::drawn<uniform_integer, std::int64_t>::drawn;

  static constexpr std::int64_t quantile(double u) {
    const double scaled = static_cast<double>(choices) * u;
    return First + Step * std::min(static_cast<std::int64_t>(scaled), choices - 1);
  }
  static constexpr bool contains(std::int64_t v) {
    return v >= First && v <= Last && (v - First) % Step == 0;
  }
  static std::string description() {
    return "uniform_integer(" + number_text(First) + ", " + number_text(Last) +
           (Step == 1 ? std::string() : ", step " + number_text(Step)) + ")";
  }
};

/// An integer from First to Last, each as likely as log((v + 1) / v): every doubling about equally likely.
template <std::int64_t First, std::int64_t Last>
class log_uniform_integer : public detail::drawn<log_uniform_integer<First, Last>, std::int64_t> {
  static_assert(First >= 1, "fmsb::space::log_uniform_integer: the integers must be positive");
  static_assert(First < Last, "fmsb::space::log_uniform_integer: the first integer must be below the last");
  static_assert(Last <= (std::int64_t{1} << 51),
                "fmsb::space::log_uniform_integer: the integers must not be above 2^51");

 public:
  using detail::drawn<log_uniform_integer, std::int64_t>::drawn;

  static constexpr std::int64_t quantile(double u) {
    constexpr double low = elementary::log(static_cast<double>(First));
    constexpr double width = elementary::log(static_cast<double>(Last) + 1) - low;
    const double above = elementary::rounded(width * u);
    return std::clamp(static_cast<std::int64_t>(elementary::exp(low + above)), First, Last);
  }
  static constexpr bool contains(std::int64_t v) { return v >= First && v <= Last; }
  static std::string description() {
    return "log_uniform_integer(" + number_text(First) + ", " + number_text(Last) + ")";
  }
};

/// One of the arguments of `choice`: a number or a word. Never written out.
template <class Held>
struct alternative {
  Held held;
  constexpr alternative(Held given) : held(given) {}
  constexpr Held plain() const { return held; }
};

template <std::size_t Length>
struct alternative<fixed_string<Length>> {
  fixed_string<Length> held;
  constexpr alternative(const char (&word)[Length + 1]) : held(word) {}
  constexpr std::string_view plain() const { return held.view(); }
};

template <class Held>
alternative(Held) -> alternative<Held>;
template <std::size_t Bytes>
alternative(const char (&)[Bytes]) -> alternative<fixed_string<Bytes - 1>>;

namespace detail {

template <class... Values>
concept have_common_type = sizeof...(Values) > 0 && requires {
  typename std::common_type_t<Values...>;
};

template <class... Values>
struct common_value {
  using type = int;
};
template <class... Values>
requires have_common_type<Values...>
struct common_value<Values...> : std::common_type<Values...> {
};

template <alternative... Values>
using choice_value = typename common_value<decltype(Values.plain())...>::type;

template <class Value, alternative... Values>
constexpr std::array<Value, sizeof...(Values)> listed() {
  if constexpr (have_common_type<decltype(Values.plain())...>)
    return {static_cast<Value>(Values.plain())...};
  else
    return {};
}

}  // namespace detail

/// One of the listed values, each equally likely: numbers, truth values, or words. No value twice.
///
///     choice<0.0, 0.05, 0.1> dropout;   choice<16, 32, 64> batch;   choice<"cosine", "step"> schedule;
template <alternative... Values>
class choice : public detail::drawn<choice<Values...>, detail::choice_value<Values...>> {
  static_assert(sizeof...(Values) > 0, "fmsb::space::choice: there must be at least one value to choose");
  static_assert(sizeof...(Values) == 0 || detail::have_common_type<decltype(Values.plain())...>,
                "fmsb::space::choice: the choices must be all numbers or all words");
  static_assert(!detail::have_common_type<decltype(Values.plain())...> ||
                    detail::all_different(detail::listed<detail::choice_value<Values...>, Values...>()),
                "fmsb::space::choice: the same value stands among the choices twice");

  using base = detail::drawn<choice, detail::choice_value<Values...>>;
  friend base;

 public:
  using base::base;
  using typename base::value_type;

  static constexpr std::array<value_type, sizeof...(Values)> values = detail::listed<value_type, Values...>();

  static constexpr value_type quantile(double u) {
    const double scaled = static_cast<double>(values.size()) * u;
    return values[std::min(static_cast<std::size_t>(scaled), values.size() - 1)];
  }
  static constexpr bool contains(const value_type& v) { return position(v) < values.size(); }
  static constexpr value_type typical() { return values[0]; }
  static std::string description() {
    std::string text = "choice(";
    for (std::size_t i = 0; i < values.size(); ++i)
      text += (i == 0 ? "" : ", ") + detail::value_text(values[i]);
    return text + ")";
  }

 private:
  static constexpr std::size_t position(const value_type& v) {
    std::size_t i = 0;
    while (i < values.size() && values[i] != v) ++i;
    return i;
  }
  static constexpr value_type owned(const value_type& v) {
    return values[position(v)];
  }  // a word outlives its text
};

}  // namespace fmsb::space
