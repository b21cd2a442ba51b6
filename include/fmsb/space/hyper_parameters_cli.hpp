#pragma once
#include "fmsb/core/number_text.hpp"        // read_number
#include "fmsb/space/hyper_parameters.hpp"  // for_each_member

#include <CLI/CLI.hpp>  // CLI::App

#include <algorithm>    // std::replace
#include <concepts>     // std::same_as
#include <optional>     // std::optional
#include <string>       // std::string
#include <string_view>  // std::string_view

namespace fmsb::space {

namespace detail {

template <class Value>
std::optional<Value> value_from_text(std::string_view text) {
  if constexpr (std::same_as<Value, bool>) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  } else if constexpr (std::same_as<Value, std::string_view>) {
    return text;
  } else {
    return read_number<Value>(text);
  }
}

}  // namespace detail

/// Adds an option for each member of a struct of hyper-parameters to a command line: `weight_decay` becomes
/// `--weight-decay`. The help shows the distribution and the present value, which stays where the option is
/// not given. A value outside of the distribution ends the parse with a sentence.
///
/// @param into  must outlive the parse
template <class S>
void add_options(CLI::App& app, S& into) {
  detail::require_hyper_parameters<S>();
  for_each_member(into, [&](std::string_view name, auto& member) {
    std::string option = "--" + std::string(name);
    std::replace(option.begin(), option.end(), '_', '-');
    const auto set = [option, &member](const std::string& text) {
      using value_type = typename std::remove_cvref_t<decltype(member)>::value_type;
      const auto value = detail::value_from_text<value_type>(text);
      if (!value || !member.contains(*value))
        throw CLI::ValidationError(
            option, "the value \"" + text + "\" does not belong to " + member.description() + ".");
      member = *value;
    };
    app.add_option_function<std::string>(option, set, member.description())
        ->type_name("")
        ->default_str(detail::value_text(member.value()));
  });
}

}  // namespace fmsb::space
