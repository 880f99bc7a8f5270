// The penalty of a set of features in device memory, for as long as one operation needs it.
#pragma once

#include "host/backend/cuda/device_session.hpp"
#include "host/backend/penalty.hpp"

#include "kernels/views.hpp"

namespace proxpath::backend {

class device_penalty {
public:
    device_penalty(const penalty_view& penalty, device_session& session)
        : l1_(session.upload(penalty.l1)), l2_(session.upload(penalty.l2)), lower_(session.upload(penalty.lower)),
          upper_(session.upload(penalty.upper)), kkt_scale_(session.upload(penalty.kkt_scale))
    {}

    kernels::penalty_arrays view() const
    {
        return {l1_.data(), l2_.data(), lower_.data(), upper_.data(), kkt_scale_.data()};
    }

private:
    device_buffer<double> l1_;
    device_buffer<double> l2_;
    device_buffer<double> lower_;
    device_buffer<double> upper_;
    device_buffer<double> kkt_scale_;
};

} // namespace proxpath::backend
