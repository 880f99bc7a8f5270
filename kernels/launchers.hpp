// The operations of host/backend/operations.hpp as the device has them: pointers into device memory and a stream, all
// work in stream order, nothing allocated and nothing waited for. Names and formulas are those of the contract. Each is
// defined, for float and double, in the .cu file of its name.
//
// T is the type of panels, V that of the stored values of X. Sums run in double in an order that depends on the length
// of what is summed and on nothing else: not on k, the grid or the order of threads. Outputs do not alias inputs unless
// it says so; padding of panels is not touched. Pointers called `a` (a number per row) may be null: all 1.
//
// Sums over rows need `scratch`, scratch_numbers(rows, sums) doubles, which is free again when the operation is done.
#pragma once

#include "kernels/views.hpp"

#include <cstdint>

namespace proxpath::kernels {

/// Doubles of scratch for `sums` sums over `rows` rows: sums = k for one number per column, 2 k for two.
std::int64_t scratch_numbers(std::int64_t rows, std::int64_t sums);

/// C = X̃'R; R n × k, C p × k. @param scratch for k sums over n rows and k numbers more
template <class T, class V>
void transpose_multiply(const design_view<V>& X, const panel_view<const T>& R, const panel_view<T>& C, double* scratch,
                        stream_view stream);

/// V = X̃B; B p × k, V n × k. @param scratch for k sums over p rows and k numbers more
template <class T, class V>
void multiply(const design_view<V>& X, const panel_view<const T>& B, const panel_view<T>& product, double* scratch,
              stream_view stream);

/// V = y − X̃B; y n × 1. @param scratch as for multiply
template <class T, class V>
void residual(const design_view<V>& X, const panel_view<const T>& B, const panel_view<const T>& y,
              const panel_view<T>& rest, double* scratch, stream_view stream);

/// The same for those columns or rows of X that its lists of ids name: a part of X where the whole does not fit the
/// device, or where the sums of the whole are known from before.
/// @param sums  k, of R's columns; null where no column of X is centred
template <class T, class V>
void transpose_multiply_part(const design_view<V>& X, const panel_view<const T>& R, const double* sums,
                             const panel_view<T>& C, stream_view stream);
/// taken_c = Σ_j center_j inverse_j B_jc, over all columns of X. @param scratch for k sums over p rows
template <class T, class V>
void centering_products(const design_view<V>& X, const panel_view<const T>& B, double* taken, double* scratch,
                        stream_view stream);
/// @param taken from centering_products; null where no column of X is centred
template <class T, class V>
void multiply_part(const design_view<V>& X, const panel_view<const T>& B, const double* taken,
                   const panel_view<T>& product, stream_view stream);
template <class T, class V>
void residual_part(const design_view<V>& X, const panel_view<const T>& B, const double* taken,
                   const panel_view<const T>& y, const panel_view<T>& rest, stream_view stream);

/// Where chosen columns go: the first place of each column, and behind it further ones of the same column. Places count
/// from 1; 0: none.
struct column_places {
    const std::uint32_t* first = nullptr; ///< one for each column of X
    const std::uint32_t* next = nullptr;  ///< one for each place
};

/// to[columns[u]] = places[u] for u < count; all others of `to` stay as they are.
void place_columns(std::int64_t count, const std::int64_t* columns, const std::uint32_t* places, std::uint32_t* to,
                   stream_view stream);

/// Copies the lists columns[c] of `from` to positions offsets[c] … offsets[c + 1) of `indices` and `values`.
/// @param entries offsets[count]
template <class V>
void copy_lists(const lists_view<V>& from, std::int64_t count, const std::int64_t* columns, const std::int64_t* offsets,
                std::int64_t entries, std::uint32_t* indices, V* values, stream_view stream);

/// counts_i = places that list i has entries for.
template <class V>
void count_chosen(const lists_view<V>& lists, const column_places& places, std::int64_t* counts, stream_view stream);

/// The entries that were counted, their indices now places (from 0), list i at positions from offsets[i] on. Of the
/// places of one column each has its entry; otherwise an entry comes before another as it did in `lists`, 32 at a time.
template <class V>
void copy_chosen(const lists_view<V>& lists, const column_places& places, const std::int64_t* offsets,
                 std::uint32_t* indices, V* values, stream_view stream);

/// Looks through lists whose offsets are known to be good.
/// @param entries     offsets[lists.count]
/// @param indices_end the smallest index that is too large
/// @param by_column   lists are the columns of a matrix; else its rows
/// @param first_bad   check_results(entries) numbers, whose least is the first position with an index out of range or
///                    not above the one before it in its list, or a value that is not finite; `entries` if none has
/// @param checksum    as many, whose sum (modulo 2⁶⁴) is of all (row, column, value), in whatever order
template <class V>
void check_entries(const lists_view<V>& lists, std::int64_t entries, std::int64_t indices_end, bool by_column,
                   std::int64_t* first_bad, std::int64_t* checksum, stream_view stream);
std::int64_t check_results(std::int64_t entries);

/// numbers_i ← Σ_(e ≤ i) numbers_e, in place. @param scratch scan_numbers(n)
void inclusive_scan(std::int64_t n, std::int64_t* numbers, std::int64_t* scratch, stream_view stream);
std::int64_t scan_numbers(std::int64_t n);

/// to_i = i for i < n.
void count_up(std::int64_t n, std::int64_t* to, stream_view stream);

/// Weighted moments of p columns, as host/backend/design.hpp has them; p numbers each.
struct moment_arrays {
    double* mean = nullptr;
    double* variance = nullptr;
    double* mean_square = nullptr;
    std::uint8_t* full = nullptr;
    std::uint8_t* constant = nullptr;
};

/// What columns have to know of all rows' weights: how many are positive, and the sum in twice the digits.
struct weight_totals {
    std::int64_t positive = 0;
    double high = 0;
    double low = 0;
};

/// @param w weights of the rows
template <class V>
void moments(const lists_view<V>& columns, const double* w, const weight_totals& totals, const moment_arrays& made,
             stream_view stream);

/// Sums of X̃'WX̃, rows × rows, in the making, for its columns [first, first + width): those of its rows below `known`,
/// and from row `first` on those up to the diagonal. All other rows have no parts. So whichever columns are made
/// together, an entry is the same sum. Row j has parts offsets[j] … offsets[j + 1), each `width` numbers of `sums`,
/// which are added in order at the end.
struct gram_parts {
    double* sums = nullptr;
    const std::int64_t* offsets = nullptr; ///< rows + 1
    std::int64_t count = 0;                ///< of all parts
    std::int64_t rows = 0;
    std::int64_t known = 0; ///< at most first
    std::int64_t first = 0;
    std::int64_t width = 0;
};

/// Rows of X̃ that one part of a dense row of X̃'WX̃ has from each strip.
constexpr std::int64_t gram_slice_rows = 512;

/// Rows [first_row, first_row + strip.rows) of X̃ with all that centring takes, as a dense matrix.
template <class V>
void spread_rows(const design_view<V>& X, std::int64_t first_row, const panel_view<double>& strip, stream_view stream);

/// Adds w-weighted products of the strip's columns to the parts: slice s of its rows, gram_slice_rows of them, to part
/// s of every row.
/// @param strip at most slices × gram_slice_rows rows
/// @param w     weights of the strip's rows
void gram_tiles(const panel_view<const double>& strip, const double* w, std::int64_t slices, const gram_parts& parts,
                stream_view stream);

/// Adds products of what is stored, uncentred: part s of row j takes entries [s, s + 1) segment_length of column j, for
/// each of them the row that it stands in.
/// @param rows of X with columns [parts.first, parts.first + parts.width) only, these numbered from 0
template <class V>
void gram_rows(const design_view<V>& X, const lists_view<V>& rows, const double* w, const gram_parts& parts,
               stream_view stream);

/// What centring takes from products of what is stored: with m = center ∘ inverse, m_j s_e + m_e s_j − m_j m_e Σ w.
struct gram_centering {
    const double* center = nullptr; ///< null: nothing
    const double* inverse = nullptr;
    const double* sums = nullptr;    ///< s = X̃'w, uncentred
    const double* weights = nullptr; ///< one number, Σ w
};

/// Both halves of C from the parts.
template <class T>
void gram_finish(const gram_parts& parts, const gram_centering& centering, const panel_view<T>& C, stream_view stream);

/// sums_c = Σ_r X_rc. @param scratch for k sums
template <class T>
void column_sums(const panel_view<const T>& X, double* sums, double* scratch, stream_view stream);

/// result_c = Σ_r a_r X_rc Y_rc; Y has k columns or one. @param scratch for k sums
template <class T>
void column_dots(const panel_view<const T>& X, const panel_view<const T>& Y, const double* a, double* result,
                 double* scratch, stream_view stream);

/// With ρ = y − V: sums_c = Σ a ρ², sums_(k + c) = Σ a y ρ; y has one column. @param scratch for 2 k sums
template <class T>
void residual_dots(const panel_view<const T>& y, const panel_view<const T>& V, const double* a, double* sums,
                   double* scratch, stream_view stream);

/// Three iterates of one sequence, all r × k; they may alias one another.
template <class T>
struct iterates {
    panel_view<const T> next;
    panel_view<const T> now;
    panel_view<const T> previous;
};

/// result_c = Σ_r a_r (Xn − X − θ(X − Xp))_rc (Yn − Y − θ(Y − Yp))_rc. @param theta k @param scratch for k sums
template <class T>
void extrapolation_dots(const iterates<T>& X, const iterates<T>& Y, const double* theta, const double* a,
                        double* result, double* scratch, stream_view stream);

/// square_c = ‖X_c − from − θ_c (to − from)‖²_a, not yet its root; from, to r × 1. @param scratch for k sums
template <class T>
void chord_squares(const panel_view<const T>& X, const panel_view<const T>& from, const panel_view<const T>& to,
                   const double* theta, const double* a, double* square, double* scratch, stream_view stream);

/// out = a_r (base − Z − θ_c (Z − Zprev)); base has 1 or k columns; out may be Zprev.
template <class T>
void extrapolated_residual(const panel_view<const T>& base, const panel_view<const T>& Z,
                           const panel_view<const T>& Z_previous, const double* theta, const double* a,
                           const panel_view<T>& out, stream_view stream);

/// X_rc ← a_r X_rc; a is not null.
template <class T>
void scale_rows(const double* a, const panel_view<T>& X, stream_view stream);

/// B_c += a_c D_c, then D_c = z_c r + b_c D_c; r p × 1; a, z, b k numbers.
template <class T>
void krylov_update(const panel_view<const T>& r, const double* a, const double* z, const double* b,
                   const panel_view<T>& D, const panel_view<T>& B, stream_view stream);

/// Z = C B; C p × p, symmetric in bits, B p × k, of the type of C or of double. @param scratch
/// symmetric_multiply_numbers(p, k) doubles
template <class T, class N>
void symmetric_multiply(const panel_view<const T>& C, const panel_view<const N>& B, const panel_view<N>& Z,
                        double* scratch, stream_view stream);
/// At most 2¹⁶ k + p k, and none from p = 2¹⁶ on.
std::int64_t symmetric_multiply_numbers(std::int64_t p, std::int64_t k);

/// B = V Y; V r × s, B r × k. @param Y s × k, row-major, no padding
template <class T>
void combine(const panel_view<const T>& V, const double* Y, const panel_view<T>& B, stream_view stream);

/// to_rc = from_r,columns_c. @param columns to.cols columns of `from`
template <class T>
void compact(const panel_view<const T>& from, const std::int64_t* columns, const panel_view<T>& to, stream_view stream);

/// to_rc = from_rc for all cells of `from`. Other cells of both may lie in the same panel.
template <class T>
void copy_block(const panel_view<const T>& from, const panel_view<T>& to, stream_view stream);

/// With V = B + θ_c (B − Bprev): out = clip(S(V + t_c N, t_c λ_c l1) / (1 + t_c λ_c l2)),
/// sums_c = Σ_j (out − V)², sums_(k + c) = Σ_j (V − out)(out − B).
/// @param lambda, theta, step k numbers @param scratch for 2 k sums
template <class T>
void prox_step(const panel_view<const T>& B, const panel_view<const T>& B_previous, const panel_view<const T>& N,
               const penalty_arrays& penalty, const double* lambda, const double* theta, const double* step,
               const panel_view<T>& out, double* sums, double* scratch, stream_view stream);

/// Square of every column of X and its products with those of Y: sums_c = Σ a X_rc², sums_((1 + e) k + c) = Σ a X_rc
/// Y_re for e < m. @param Y r × m @param sums (m + 8) k numbers, of which the first (m + 1) k are results
/// @param scratch for 8 k sums
template <class T>
void projections(const panel_view<const T>& X, const panel_view<const T>& Y, const double* a, double* sums,
                 double* scratch, stream_view stream);

/// to = from, cell by cell; both r × k, the types differ or the strides.
template <class From, class To>
void convert(const panel_view<const From>& from, const panel_view<To>& to, stream_view stream);

/// Doubles of scratch for the gap sums of k columns over p features: 56 bytes for each column and 256 features, and a
/// little.
std::int64_t gap_scratch_numbers(std::int64_t p, std::int64_t k);

/// Gap sums of U at B, both p × k: sums_(s k + c) is number s of column c (gap_numbers.hpp). Reads 2 p k sizeof(T)
/// bytes. @param scratch gap_scratch_numbers(p, k)
template <class T>
void penalty_sums(const panel_view<const T>& U, const panel_view<const T>& B, const penalty_arrays& penalty,
                  const double* lambda, double* sums, double* scratch, stream_view stream);

/// Items of a piece of `select`.
constexpr std::int64_t select_piece = 2048;

/// What `select` leaves of n items, in device memory.
struct selection {
    std::uint32_t* bits = nullptr;  ///< ceil(n / 32): as chosen_view
    std::int64_t* before = nullptr; ///< ceil(n / 32)
    std::int64_t* starts =
        nullptr; ///< 2 (ceil(n / select_piece) + 1): items of kinds 1 and 2 before each piece, and all
    std::int64_t* first = nullptr;  ///< items of kind 1, ascending
    std::int64_t* second = nullptr; ///< items of kind 2, ascending; not written where there are none
};

/// The items whose kind is 1 or 2, as lists, bits and ranks. Reads 3 n bytes, writes 8 for each chosen item and 12 for
/// 32 items.
void select(const std::uint8_t* kind, std::int64_t n, const selection& out, stream_view stream);

} // namespace proxpath::kernels
