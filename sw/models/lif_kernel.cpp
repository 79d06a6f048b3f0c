// A recurrent LIF layer over a whole sequence, forward and backward. Equations and shapes: sw/models/lif.py.
// One call walks all frames: the recurrent product of a frame is one matrix product for all time steps, and everything
// elementwise is one pass over memory. In Python the same loop spends most of its time between operators.
#include <torch/extension.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
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

// Columns of equal delay that lie side by side are copied together: (first, count, delay).
struct Run { int64_t first, count, delay; };

std::vector<Run> runs_of(const torch::Tensor& delays) {
    std::vector<Run> runs;
    const int64_t* d = delays.data_ptr<int64_t>();
    for (int64_t n = 0; n < delays.numel(); ++n) {
        if (!runs.empty() && runs.back().delay == d[n]) ++runs.back().count;
        else runs.push_back({n, 1, d[n]});
    }
    return runs;
}

// to (rows, N) = frame t + sign (base + delay of the column) of from (F, rows, N); zeros outside.
void gather(float* to, const float* from, const std::vector<Run>& runs, int64_t t, int64_t base, int64_t sign,
            int64_t frames, int64_t rows, int64_t neurons) {
    for (const Run& run : runs) {
        const int64_t at = t + sign * (base + run.delay);
        const bool inside = at >= 0 && at < frames;
        for (int64_t r = 0; r < rows; ++r) {
            float* target = to + r * neurons + run.first;
            if (inside) std::copy_n(from + (at * rows + r) * neurons + run.first, run.count, target);
            else std::fill_n(target, run.count, 0.0f);
        }
    }
}

}  // namespace

// x (F, ..., N) with column n moved delays[n] frames later (sign -1), or earlier (sign 1, the gradient's way).
torch::Tensor delay(torch::Tensor x, torch::Tensor delays, int64_t sign) {
    auto result = torch::empty_like(x);
    const int64_t frames = x.size(0), neurons = x.size(-1), rows = x.numel() / (frames * neurons);
    const auto runs = runs_of(delays);
    for (int64_t t = 0; t < frames; ++t)
        gather(result.data_ptr<float>() + t * rows * neurons, x.data_ptr<float>(), runs, t, 0, sign, frames, rows, neurons);
    return result;
}

// feed (F, Kf, B, N), Kf = 1 (shared by all time steps) or K; weight (N, N), or empty where there is no recurrence;
// threshold and leak (a share of the potential) (N); delays (N), of the recurrent spikes beyond one frame, or empty.
// Returns spikes and potentials before reset, both (F, K, B, N).
std::vector<torch::Tensor> forward(torch::Tensor feed, torch::Tensor weight, torch::Tensor threshold, torch::Tensor leak,
                                   torch::Tensor delays, double gain, int64_t steps, bool integer, double limit,
                                   bool subtract) {
    const int64_t frames = feed.size(0), shared = feed.size(1), batch = feed.size(2), neurons = feed.size(3);
    auto spikes = torch::empty({frames, steps, batch, neurons}, feed.options());
    auto potentials = torch::empty_like(spikes);
    auto recurrent = torch::zeros({steps * batch, neurons}, feed.options());
    auto late = torch::zeros({steps * batch, neurons}, feed.options());
    auto state = torch::zeros({batch, neurons}, feed.options());
    const int64_t plane = batch * neurons;
    const float scale = gain, top = limit;
    const bool connected = weight.numel() > 0;
    const auto runs = runs_of(delays);
    const float* theta = threshold.data_ptr<float>();
    const float* fraction = leak.data_ptr<float>();
    for (int64_t t = 0; t < frames; ++t) {
        if (connected && t && runs.empty()) {
            at::mm_out(recurrent, spikes[t - 1].view({steps * batch, neurons}), weight);
        } else if (connected && t) {
            gather(late.data_ptr<float>(), spikes.data_ptr<float>(), runs, t, 1, -1, t, steps * batch, neurons);
            at::mm_out(recurrent, late, weight);
        }
        for (int64_t k = 0; k < steps; ++k) {
            for (int64_t b = 0; b < batch; ++b) {
                const float* in = feed.data_ptr<float>() + (t * shared + (shared > 1 ? k : 0)) * plane + b * neurons;
                const float* rec = recurrent.data_ptr<float>() + k * plane + b * neurons;
                float* v = potentials.data_ptr<float>() + (t * steps + k) * plane + b * neurons;
                float* s = spikes.data_ptr<float>() + (t * steps + k) * plane + b * neurons;
                float* u = state.data_ptr<float>() + b * neurons;
                if (integer) {
#pragma GCC ivdep
                    for (int64_t n = 0; n < neurons; ++n) {
                        float x = u[n] - std::floor(u[n] * fraction[n]) + (in[n] + rec[n]) * scale;
                        x = std::fmin(std::fmax(x, -top), top - 1.0f);
                        const float fires = x >= theta[n] ? 1.0f : 0.0f;  // no branch: neurons are served side by side
                        v[n] = x;
                        s[n] = fires;
                        u[n] = x - fires * (subtract ? theta[n] : x);
                    }
                } else {
#pragma GCC ivdep
                    for (int64_t n = 0; n < neurons; ++n) {
                        const float x = u[n] - u[n] * fraction[n] + (in[n] + rec[n]) * scale;
                        const float fires = x >= theta[n] ? 1.0f : 0.0f;  // no branch: neurons are served side by side
                        v[n] = x;
                        s[n] = fires;
                        u[n] = x - fires * (subtract ? theta[n] : x);
                    }
                }
            }
        }
    }
    return {spikes, potentials};
}

// Gradients of feed, weight, threshold and leak from the gradient of the spikes. The reset passes no gradient:
// a potential that is set to zero forgets its past, one that loses a threshold keeps it. Without `learn`, those of
// threshold and leak may be left zero, which saves time.
std::vector<torch::Tensor> backward(torch::Tensor grad, torch::Tensor spikes, torch::Tensor potentials, torch::Tensor weight,
                                    torch::Tensor threshold, torch::Tensor leak, torch::Tensor delays, double gain,
                                    int64_t shared, int64_t kind, double damping, bool subtract, bool learn) {
    const int64_t frames = spikes.size(0), steps = spikes.size(1), batch = spikes.size(2), neurons = spikes.size(3);
    auto current = torch::empty_like(spikes);
    auto recurrent = torch::zeros({steps * batch, neurons}, spikes.options());
    auto state = torch::zeros({batch, neurons}, spikes.options());
    auto to_threshold = torch::zeros({neurons}, spikes.options()), to_leak = torch::zeros({neurons}, spikes.options());
    auto transposed = weight.t();
    const int64_t plane = batch * neurons;
    const float scale = gain, damped = damping, cut = subtract ? 0.0f : 1.0f;
    const bool connected = weight.numel() > 0;
    const auto runs = runs_of(delays);
    auto back = connected && !runs.empty() ? torch::empty_like(spikes) : torch::Tensor();  // what reached each frame's rows
    auto inverse_of = threshold.reciprocal(), none = torch::zeros({neurons}, spikes.options());
    const float *inverse = inverse_of.data_ptr<float>(), *theta = threshold.data_ptr<float>();
    const float* fraction = leak.data_ptr<float>();
    float *dtheta = to_threshold.data_ptr<float>(), *dleak = to_leak.data_ptr<float>();
    for (int64_t t = frames - 1; t >= 0; --t) {
        if (connected && t + 1 < frames) {
            auto after = current[t + 1].view({steps * batch, neurons});
            if (runs.empty()) {
                at::mm_out(recurrent, after, transposed);
            } else {
                auto row = back[t + 1].view({steps * batch, neurons});
                at::mm_out(row, after, transposed);
                gather(recurrent.data_ptr<float>(), back.data_ptr<float>(), runs, t, 1, 1, frames, steps * batch, neurons);
            }
        }
        for (int64_t k = steps - 1; k >= 0; --k) {
            const bool first = t == 0 && k == 0;
            for (int64_t b = 0; b < batch; ++b) {
                const int64_t at = (t * steps + k) * plane + b * neurons;
                const float* gs = grad.data_ptr<float>() + at;
                const float* s = spikes.data_ptr<float>() + at;
                const float* v = potentials.data_ptr<float>() + at;
                const float* rec = recurrent.data_ptr<float>() + k * plane + b * neurons;
                const float* was = first ? none.data_ptr<float>() : v - plane;  // the time step before lies before
                const float* fired = first ? none.data_ptr<float>() : s - plane;
                float* dc = current.data_ptr<float>() + at;
                float* du = state.data_ptr<float>() + b * neurons;
                auto pass = [&](auto slope, auto learnt) {
#pragma GCC ivdep
                    for (int64_t n = 0; n < neurons; ++n) {
                        const float z = v[n] * inverse[n] - 1.0f;
                        const float ds = (gs[n] + rec[n]) * slope(z) * damped * inverse[n];
                        // the spike depends on v / threshold, so the threshold's slope is -v / threshold of the potential's
                        if (learnt) dtheta[n] -= ds * v[n] * inverse[n];
                        const float dv = ds + du[n] * (1.0f - s[n] * cut);
                        if (learnt) dleak[n] -= dv * (was[n] - fired[n] * (subtract ? theta[n] : was[n]));
                        dc[n] = dv * scale;
                        du[n] = dv * (1.0f - fraction[n]);
                    }
                };
                auto triangle = [](float z) { return std::fmax(1.0f - std::fabs(z), 0.0f); };
                if (kind == TRIANGLE && learn) pass(triangle, std::true_type());
                else if (kind == TRIANGLE) pass(triangle, std::false_type());
                else pass([kind](float z) { return surrogate_slope(z, kind); }, std::true_type());
            }
        }
    }
    auto to_feed = shared == 1 && steps > 1 ? current.sum(1, true) : current;
    torch::Tensor to_weight = torch::zeros_like(weight);
    if (connected && frames > 1) {
        auto before = runs.empty() ? spikes : delay(spikes, delays, -1);
        to_weight = at::mm(before.slice(0, 0, frames - 1).reshape({-1, neurons}).t(),
                           current.slice(0, 1, frames).reshape({-1, neurons}));
    }
    return {to_feed, to_weight, to_threshold, to_leak};
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
    m.def("forward", &forward);
    m.def("backward", &backward);
    m.def("delay", &delay);
}
