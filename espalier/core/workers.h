#pragma once

namespace espalier::detail {

// Runs work(data, 0) on the calling thread and work(data, i), for i from 1 to `others`, on threads of our own
// as they find time: one that gets no processor in time does not take part, so `work` must be done when any
// of the calls for it have returned and no other is under way. False, with nothing done, while another thread
// has them.
bool run_with_workers(int others, void (*work)(void* data, int me), void* data);

// To be said after OpenMP's threads have worked for others than parallel_for (oneDNN).
void note_openmp();

}  // namespace espalier::detail
