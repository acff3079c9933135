// Attention over sequences of different lengths without a mask, in libtorch's flash kernels, which none of
// its public functions offers for a batch.

#include "caught.h"

#include <ATen/SDPBackend.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_assert_async.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

namespace {

using at::Tensor;

// Whether libtorch's own choice for these would be its flash kernels if nothing were masked: it asks for the
// GPU, the kind of the numbers, and the heads' size, which it would fill up to eights.
bool is_flash(const Tensor& query, const Tensor& key, const Tensor& value, double dropout) {
  if (!query.is_cuda() || query.dim() != 4 || query.size(3) % 8 != 0) return false;
  const auto heads_first = [](const Tensor& tensor) { return tensor.transpose(1, 2); };
  const int64_t choice = at::_fused_sdp_choice(heads_first(query), heads_first(key), heads_first(value), /*attn_mask=*/{},
                                               dropout, /*is_causal=*/false);
  return choice == static_cast<int64_t>(at::SDPBackend::flash_attention);
}

}  // namespace

extern "C" {

char* electra_torch_has_flash_attention(const Tensor* query, const Tensor* key, const Tensor* value, double dropout, bool* has) {
  return caught([&] { *has = is_flash(*query, *key, *value, dropout); });
}

// The rows among B · L at which the tokens of each example begin, and its padding, and behind the last: int32
// [2 B + 1], a new tensor of the caller. mask: bool [B, L], true at tokens, which come first. A GPU tells of
// others when it is next waited for.
char* electra_torch_sequences(const Tensor* mask, Tensor** first) {
  return caught([&] {
    at::NoGradGuard no_grad;
    TORCH_CHECK(mask->dim() == 2 && mask->scalar_type() == at::kBool, "the mask is ", mask->toString(), " ", mask->sizes(),
                ": expected bool [B, L]");
    const int64_t examples = mask->size(0), length = mask->size(1);
    const auto integers = mask->options().dtype(at::kLong);
    if (length > 1) {
      const Tensor before = mask->narrow(1, 0, length - 1), after = mask->narrow(1, 1, length - 1);
      at::_assert_async(after.le(before).all(), "padding comes before a token of its row: expected it behind all of them");
    }
    const Tensor tokens = mask->sum(1), begin = at::arange(examples, integers).mul(length);  // [B]
    const Tensor end = at::full({1}, examples * length, integers);
    *first = new Tensor(at::cat({at::stack({begin, begin.add(tokens)}, 1).flatten(), end}).to(at::kInt));
  });
}

// [B, L, H, A] each → [B, L, H, A], a new tensor of the caller; first: int32 [n + 1], where each of n
// sequences begins among the B · L rows, and behind the last.
char* electra_torch_flash_attention(const Tensor* query, const Tensor* key, const Tensor* value, const Tensor* first,
                                    double dropout, Tensor** attended) {
  return caught([&] {
    const int64_t longest = query->size(1);
    const auto rows = [](const Tensor& tensor) { return tensor.flatten(0, 1); };
    const auto result = at::_flash_attention_forward(rows(*query), rows(*key), rows(*value), *first, *first, longest, longest,
                                                     dropout, /*is_causal=*/false, /*return_debug_mask=*/false);
    *attended = new Tensor(std::get<0>(result).view_as(*query));
  });
}

}  // extern "C"
