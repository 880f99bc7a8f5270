// The header of .npy: a Python dictionary literal of three known keys. Read strictly; nothing is ever evaluated.

#include "host/io/npy.hpp"

#include "host/io/number.hpp"

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

namespace proxpath::io {

namespace {

/// Walks over the literal; every step says whether what it expected was there.
class literal {
public:
    explicit literal(std::string_view text) : rest_(text) {}

    bool symbol(char c)
    {
        skip();
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool word(std::string_view expected)
    {
        skip();
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }
    bool text(std::string& into)
    {
        skip();
        if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return false;
        const std::size_t end = rest_.find(rest_.front(), 1);
        if (end == std::string_view::npos) return false;
        into = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return true;
    }
    bool number(std::int64_t& into)
    {
        skip();
        const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), into);
        if (parsed.ec != std::errc() || into < 0) return false;
        rest_.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest_.data()));
        return true;
    }
    bool at_end()
    {
        skip();
        return rest_.empty();
    }
    std::string_view rest() const { return rest_; }

private:
    void skip()
    {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
    }
    std::string_view rest_;
};

struct known_type {
    std::string_view name;
    npy_type type;
    std::int64_t bytes;
};

constexpr std::array<known_type, 14> known_types{{{"<f8", npy_type::f64, 8},
                                                  {"<f4", npy_type::f32, 4},
                                                  {"<i8", npy_type::i64, 8},
                                                  {"<i4", npy_type::i32, 4},
                                                  {"<i2", npy_type::i16, 2},
                                                  {"|i1", npy_type::i8, 1},
                                                  {"<i1", npy_type::i8, 1},
                                                  {"<u8", npy_type::u64, 8},
                                                  {"<u4", npy_type::u32, 4},
                                                  {"<u2", npy_type::u16, 2},
                                                  {"|u1", npy_type::u8, 1},
                                                  {"<u1", npy_type::u8, 1},
                                                  {"|b1", npy_type::boolean, 1},
                                                  {"?", npy_type::boolean, 1}}};

bool set_type(const std::string& name, npy_head& head, std::string& reason)
{
    for (const known_type& known : known_types)
        if (name == known.name) {
            head.type = known.type;
            head.item_bytes = known.bytes;
            return true;
        }
    const bool bytes = name.starts_with("|S");
    const bool wide = name.starts_with("<U");
    std::int64_t length = 0;
    if ((bytes || wide) && name.size() > 2 && name.size() < 6) {
        const auto parsed = std::from_chars(name.data() + 2, name.data() + name.size(), length);
        if (parsed.ec == std::errc() && parsed.ptr == name.data() + name.size() && length > 0) {
            head.type = npy_type::text;
            head.wide_text = wide;
            head.item_bytes = wide ? 4 * length : length;
            return true;
        }
    }
    if (name.starts_with(">"))
        reason = fmt::format("the type {} is big-endian; little-endian is supported", quote(name));
    else
        reason = fmt::format("the type {} is not supported; integers, float32, float64 and bool are", quote(name));
    return false;
}

bool set_shape(literal& in, npy_head& head)
{
    if (!in.symbol('(')) return false;
    while (!in.symbol(')')) {
        std::int64_t extent = 0;
        if (head.shape.size() == 8 || !in.number(extent)) return false;
        head.shape.push_back(extent);
        if (!in.symbol(',')) return in.symbol(')');
    }
    return true;
}

} // namespace

std::optional<npy_head> parse_npy_head(std::string_view text, std::string& reason)
{
    npy_head head;
    literal in(text);
    bool has_type = false;
    bool has_order = false;
    bool has_shape = false;
    bool well_formed = in.symbol('{');
    while (well_formed && !in.symbol('}')) {
        std::string key;
        well_formed = in.text(key) && in.symbol(':');
        if (!well_formed) break;
        if (key == "descr" && !has_type) {
            std::string type;
            well_formed = has_type = in.text(type);
            if (has_type && !set_type(type, head, reason)) return std::nullopt;
        } else if (key == "fortran_order" && !has_order) {
            well_formed = has_order = in.word("False") || in.word("True"); // the same for vectors
        } else if (key == "shape" && !has_shape) {
            well_formed = has_shape = set_shape(in, head);
        } else {
            well_formed = false;
        }
        if (well_formed && !in.symbol(',')) {
            well_formed = in.symbol('}');
            break;
        }
    }
    if (!well_formed || !has_type || !has_order || !has_shape || !in.at_end()) {
        reason = fmt::format("the array header {} is not NumPy's", quote(text));
        return std::nullopt;
    }
    for (const std::int64_t extent : head.shape)
        if (__builtin_mul_overflow(head.items, extent, &head.items)) head.items = -1;
    std::int64_t bytes = 0;
    if (head.items < 0 || __builtin_mul_overflow(head.items, head.item_bytes, &bytes)) {
        reason = "the array's declared size overflows";
        return std::nullopt;
    }
    return head;
}

} // namespace proxpath::io
