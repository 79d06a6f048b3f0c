// A recurrent LIF layer over a whole sequence, forward and backward. Equations and shapes: sw/models/lif.py.
// One call walks all frames: the recurrent product of a frame is one matrix product for all time steps, and everything
// elementwise is one pass over memory. In Python the same loop spends most of its time between operators.
#include <torch/extension.h>

#include <cmath>
#include <vector>

namespace {

enum Surrogate { TRIANGLE, FAST_SIGMOID, ARCTAN, RECTANGLE };

inline float surrogate_slope(float z, int kind) {
    const float a = std::fabs(z);
    switch (kind) {
        case TRIANGLE: return a < 1.0f ? 1.0f - a : 0.0f;
        case FAST_SIGMOID: return 1.0f / ((1.0f + 4.0f * a) * (1.0f + 4.0f * a));
        case ARCTAN: return 1.0f / (1.0f + 9.8696044f * z * z);
        default: return a < 0.5f ? 1.0f : 0.0f;
    }
}

}  // namespace

// feed (F, Kf, B, N), Kf = 1 (shared by all time steps) or K; weight (N, N). Returns spikes and potentials before
// reset, both (F, K, B, N).
std::vector<torch::Tensor> forward(torch::Tensor feed, torch::Tensor weight, double threshold, double gain, int64_t shift,
                                   int64_t steps, bool integer, double limit, bool subtract) {
    const int64_t frames = feed.size(0), shared = feed.size(1), batch = feed.size(2), neurons = feed.size(3);
    auto spikes = torch::empty({frames, steps, batch, neurons}, feed.options());
    auto potentials = torch::empty_like(spikes);
    auto recurrent = torch::zeros({steps * batch, neurons}, feed.options());
    auto state = torch::zeros({batch, neurons}, feed.options());
    const int64_t plane = batch * neurons;
    const float fraction = std::ldexp(1.0f, -static_cast<int>(shift)), theta = threshold, scale = gain, top = limit;
    float* u = state.data_ptr<float>();
    for (int64_t t = 0; t < frames; ++t) {
        if (t) at::mm_out(recurrent, spikes[t - 1].view({steps * batch, neurons}), weight);
        for (int64_t k = 0; k < steps; ++k) {
            const float* in = feed.data_ptr<float>() + (t * shared + (shared > 1 ? k : 0)) * plane;
            const float* rec = recurrent.data_ptr<float>() + k * plane;
            float* v = potentials.data_ptr<float>() + (t * steps + k) * plane;
            float* s = spikes.data_ptr<float>() + (t * steps + k) * plane;
            if (integer) {
                for (int64_t i = 0; i < plane; ++i) {
                    float x = u[i] - std::floor(u[i] * fraction) + (in[i] + rec[i]) * scale;
                    x = std::fmin(std::fmax(x, -top), top - 1.0f);
                    v[i] = x;
                    s[i] = x >= theta ? 1.0f : 0.0f;
                    u[i] = x >= theta ? (subtract ? x - theta : 0.0f) : x;
                }
            } else {
                for (int64_t i = 0; i < plane; ++i) {
                    const float x = u[i] - u[i] * fraction + (in[i] + rec[i]) * scale;
                    v[i] = x;
                    s[i] = x >= theta ? 1.0f : 0.0f;
                    u[i] = x >= theta ? (subtract ? x - theta : 0.0f) : x;
                }
            }
        }
    }
    return {spikes, potentials};
}

// Gradients of feed, weight and threshold from the gradient of the spikes. The reset passes no gradient:
// a potential that is set to zero forgets its past, one that loses a threshold keeps it.
std::vector<torch::Tensor> backward(torch::Tensor grad, torch::Tensor spikes, torch::Tensor potentials, torch::Tensor weight,
                                    double threshold, double gain, int64_t shift, int64_t shared, int64_t kind,
                                    double damping, bool subtract) {
    const int64_t frames = spikes.size(0), steps = spikes.size(1), batch = spikes.size(2), neurons = spikes.size(3);
    auto current = torch::empty_like(spikes);
    auto recurrent = torch::zeros({steps * batch, neurons}, spikes.options());
    auto state = torch::zeros({batch, neurons}, spikes.options());
    auto transposed = weight.t();
    const int64_t plane = batch * neurons;
    const float keep = 1.0f - std::ldexp(1.0f, -static_cast<int>(shift)), theta = threshold, scale = gain;
    const float inverse = 1.0f / theta, damped = damping / theta, cut = subtract ? 0.0f : 1.0f;
    float* du = state.data_ptr<float>();
    double to_threshold = 0.0;
    for (int64_t t = frames - 1; t >= 0; --t) {
        if (t + 1 < frames) at::mm_out(recurrent, current[t + 1].view({steps * batch, neurons}), transposed);
        for (int64_t k = steps - 1; k >= 0; --k) {
            const int64_t at = (t * steps + k) * plane;
            const float* gs = grad.data_ptr<float>() + at;
            const float* s = spikes.data_ptr<float>() + at;
            const float* v = potentials.data_ptr<float>() + at;
            const float* rec = recurrent.data_ptr<float>() + k * plane;
            float* dc = current.data_ptr<float>() + at;
            float sum = 0.0f;
            auto pass = [&](auto slope) {
                for (int64_t i = 0; i < plane; ++i) {
                    const float z = v[i] * inverse - 1.0f;
                    const float ds = (gs[i] + rec[i]) * slope(z) * damped;
                    // the spike depends on v / threshold, so the threshold's slope is -v / threshold of the potential's
                    sum -= ds * v[i] * inverse;
                    const float dv = ds + du[i] * (1.0f - s[i] * cut);
                    dc[i] = dv * scale;
                    du[i] = dv * keep;
                }
            };
            if (kind == TRIANGLE) pass([](float z) { return std::fmax(1.0f - std::fabs(z), 0.0f); });
            else pass([kind](float z) { return surrogate_slope(z, kind); });
            to_threshold += sum;
        }
    }
    auto to_feed = shared == 1 && steps > 1 ? current.sum(1, true) : current;
    torch::Tensor to_weight = torch::zeros_like(weight);
    if (frames > 1) {
        auto before = spikes.slice(0, 0, frames - 1).reshape({-1, neurons});
        auto after = current.slice(0, 1, frames).reshape({-1, neurons});
        to_weight = at::mm(before.t(), after);
    }
    return {to_feed, to_weight, torch::scalar_tensor(to_threshold, spikes.options())};
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
    m.def("forward", &forward);
    m.def("backward", &backward);
}
