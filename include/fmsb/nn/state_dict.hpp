#pragma once
#include "fmsb/core/error.hpp"         // data_error, usage_error
#include "fmsb/data/safetensors.hpp"   // safetensors_file, open_safetensors
#include "fmsb/nn/renaming.hpp"        // renaming, matches_pattern
#include "fmsb/nn/state_mismatch.hpp"  // state_differences, state_mismatch
#include "fmsb/nn/tensor_file.hpp"     // tensor_of, write_tensors
#include "fmsb/nn/torch.hpp"           // torch::nn::Module

#include <algorithm>    // std::all_of, std::any_of, std::equal, std::sort
#include <cstddef>      // std::size_t
#include <filesystem>   // std::filesystem::path
#include <functional>   // std::function
#include <map>          // std::map
#include <numeric>      // std::iota
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <tuple>        // std::tuple
#include <utility>      // std::move
#include <vector>       // std::vector

namespace fmsb::nn {

/// What may differ between a file and the module that it is loaded into. Names are looked at in this order:
/// `prefix` and `ignore` see them as the file spells them, `rename` what is left of them, `may_miss` the
/// module's.
struct load_options {
  bool strict = true;                 ///< whether a missing or an unexpected name is an error
  std::string prefix{};               ///< only names that begin so are read, and without it
  renaming rename{};                  ///< a name of the file, less the prefix -> a name of the module
  std::vector<std::string> ignore{};  ///< names of the file that are not read: `lm_head.*`
  std::function<bool(std::string_view)> may_miss{};  ///< names of the module that the file need not have
};

namespace detail {

/// Parameters and buffers under their dotted names, in the order of registration, tied ones under each name.
inline std::vector<named_tensor> registered_tensors(const torch::nn::Module& module) {
  std::vector<named_tensor> out;
  for (const auto& item : module.named_parameters()) out.push_back({item.key(), item.value()});
  for (const auto& item : module.named_buffers()) out.push_back({item.key(), item.value()});
  return out;
}

/// For each tensor the position of the first one that is the same memory, read the same way; itself if there
/// is none.
inline std::vector<std::size_t> first_of_tied(const std::vector<named_tensor>& tensors) {
  using place = std::tuple<const void*, index_t, at::ScalarType, std::vector<index_t>, std::vector<index_t>>;
  std::map<place, std::size_t> seen;
  std::vector<std::size_t> first;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& x = tensors[i].value;
    const void* const memory = x.has_storage() ? static_cast<const void*>(x.storage().unsafeGetStorageImpl())
                                               : static_cast<const void*>(x.unsafeGetTensorImpl());
    const index_t offset = x.has_storage() ? x.storage_offset() : 0;
    first.push_back(seen.try_emplace({memory, offset, x.scalar_type(), x.sizes().vec(), x.strides().vec()}, i)
                        .first->second);
  }
  return first;
}

/// Whether numbers keep their meaning: between floating-point types, and from integers to wider ones that
/// have their signs.
inline bool converts(at::ScalarType from, at::ScalarType to) {
  if (from == to) return true;
  if (at::isFloatingType(from) && at::isFloatingType(to)) return true;
  const auto whole = [](at::ScalarType x) { return at::isIntegralType(x, /*includeBool=*/false); };
  return whole(from) && whole(to) && c10::elementSize(from) < c10::elementSize(to) &&
         (at::isSignedType(to) || !at::isSignedType(from));
}

/// The file's tensors under the module's names.
inline std::map<std::string, const data::stored_tensor*, std::less<>> renamed_tensors(
    const data::safetensors_file& file, const load_options& options) {
  std::map<std::string, const data::stored_tensor*, std::less<>> found;
  for (const auto& stored : file.tensors()) {
    const std::string_view name = stored.name;
    if (!name.starts_with(options.prefix)) continue;
    if (std::any_of(options.ignore.begin(), options.ignore.end(),
                    [&](const std::string& pattern) { return matches_pattern(pattern, name); }))
      continue;
    const auto [place, added] =
        found.try_emplace(options.rename(name.substr(options.prefix.size())), &stored);
    if (!added)
      throw usage_error("fmsb::nn::load_state: load_options::rename makes \"" + place->first +
                        "\" of both \"" + place->second->name + "\" and \"" + stored.name + "\" of " +
                        file.name() + "; ignore one of them.");
  }
  return found;
}

inline bool same_content(const data::stored_tensor& a, const data::stored_tensor& b) {
  return a.type == b.type && a.shape == b.shape &&
         std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

}  // namespace detail

/// Copies the tensors of a file into a module's parameters and buffers of the same names. The module keeps
/// its tensors, their number types and devices, and what is frozen; floating-point numbers are converted,
/// integers where none can be lost. Everything is compared before the first number is written: a file that is
/// refused leaves the module as it was.
///
/// Names that the module registers for one tensor (tied weights) may stand in the file all or in part; if
/// several do, their numbers must be the same.
///
/// @return what was missing and unexpected, where `strict = false` allows it
/// @throws state_mismatch with the lists of names: if any is missing or unexpected (unless `strict = false`),
/// if any
///         shape or number type does not fit, or if no name fits at all
/// @throws data_error where tied names have different numbers in the file
/// @throws usage_error where `rename` gives two names of the file the same one
inline state_differences load_state(torch::nn::Module& module, const data::safetensors_file& file,
                                    const load_options& options = {}) {
  const auto targets = detail::registered_tensors(module);
  const auto first = detail::first_of_tied(targets);
  auto sources = detail::renamed_tensors(file, options);

  state_differences found;
  std::vector<const data::stored_tensor*> chosen(targets.size(), nullptr);  // at the first of those tied
  std::vector<std::size_t> chosen_by(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& [name, target] = targets[i];
    const auto source = sources.find(name);
    if (source == sources.end()) continue;
    const auto* const stored = source->second;
    sources.erase(source);
    auto& twin = chosen[first[i]];
    if (target.sizes() != at::IntArrayRef(stored->shape))
      found.misshaped.push_back({name, stored->shape, target.sizes().vec()});
    else if (!detail::converts(scalar_type_of(stored->type), target.scalar_type()))
      found.mistyped.push_back(
          {name, std::string(data::name_of(stored->type)), c10::toString(target.scalar_type())});
    else if (twin != nullptr && !detail::same_content(*twin, *stored))
      throw data_error(
          file.name() + ": " + targets[chosen_by[first[i]]].name + " and " + name +
          " are one tensor in the module, but have different numbers in the file. Load it into a "
          "module that does not tie them, or ignore one of them.");
    if (twin == nullptr) {
      twin = stored;
      chosen_by[first[i]] = i;
    }
  }
  const bool nothing_fits =
      std::all_of(chosen.begin(), chosen.end(), [](const auto* x) { return x == nullptr; });
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (chosen[first[i]] == nullptr && !(options.may_miss && options.may_miss(targets[i].name)))
      found.missing.push_back(targets[i].name);
  std::vector<const data::stored_tensor*> left;
  for (const auto& item : sources) left.push_back(item.second);
  std::sort(left.begin(), left.end());  // they stand in one array: this is the order of the file
  for (const auto* stored : left) found.unexpected.push_back(stored->name);

  const bool tolerable =
      !options.strict && !nothing_fits && found.misshaped.empty() && found.mistyped.empty();
  if (!found.empty() && !tolerable) throw state_mismatch(file.name(), std::move(found));

  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (chosen[i] != nullptr) targets[i].value.copy_(detail::borrowed(*chosen[i]));
  return found;
}

/// The same from a path, as data::open_safetensors takes it: a file, an index or a folder.
inline state_differences load_state(torch::nn::Module& module, const std::filesystem::path& path,
                                    const load_options& options = {}) {
  return load_state(module, data::open_safetensors(path), options);
}

/// The same for what a handle holds: fmsb's `module<T>` or one of LibTorch's own.
template <class Held, class File>
state_differences load_state(const torch::nn::ModuleHolder<Held>& module, const File& file,
                             const load_options& options = {}) {
  return load_state(static_cast<torch::nn::Module&>(*module.ptr()), file, options);
}

/// Writes a module's parameters and buffers into a safetensors file, as a whole or not at all. Of names that
/// the module registers for one tensor the file holds the first one in alphabetical order; under each of the
/// others its metadata names that one, as Python's safetensors.torch.save_model does.
///
/// The file carries names, shapes and numbers and no fingerprint: it is for exchange. torch::save writes what
/// only the same type loads.
///
/// @throws as write_tensors
inline void save_state(const torch::nn::Module& module, const std::filesystem::path& target,
                       data::text_map metadata = {{"format", "pt"}}) {
  const auto all = detail::registered_tensors(module);
  const auto first = detail::first_of_tied(all);
  std::vector<std::size_t> kept(all.size());
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].name < all[kept[first[i]]].name) kept[first[i]] = i;
  std::vector<named_tensor> written;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto keeper = kept[first[i]];
    if (keeper == i)
      written.push_back(all[i]);
    else
      metadata.try_emplace(all[i].name, all[keeper].name);
  }
  write_tensors(target, written, metadata);
}
template <class Held>
void save_state(const torch::nn::ModuleHolder<Held>& module, const std::filesystem::path& target,
                data::text_map metadata = {{"format", "pt"}}) {
  save_state(static_cast<const torch::nn::Module&>(*module.ptr()), target, std::move(metadata));
}

}  // namespace fmsb::nn
