// A thread that helps another: on Linux it begins on another processor at once.
//
// Linux puts a new thread on its maker's processor when it sees no idle one at that moment, and moves it only at a later tick:
// with two processors a helper began 2.7 ms after it was made (mean of 200; 0.09 ms as it is here), which is longer than many
// regions take to read. So the maker's processor is left out of the choice, and the helper lifts that limit when it has begun.
#pragma once

#include <cerrno>
#include <functional>
#include <memory>
#include <system_error>
#include <thread>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace blockwright {

#if defined(__linux__)

class HelperThread {
 public:
  // `work` must not throw and must outlive the thread. Throws std::system_error when the system has no thread left.
  explicit HelperThread(const std::function<void()>& work) : start_(std::make_unique<Start>()) {
    start_->work = &work;
    start_->limited = pthread_getaffinity_np(pthread_self(), sizeof(cpu_set_t), &start_->allowed) == 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const int processor = sched_getcpu();
    cpu_set_t others = start_->allowed;
    if (start_->limited && processor >= 0 && processor < CPU_SETSIZE) CPU_CLR(processor, &others);
    start_->limited = start_->limited && CPU_COUNT(&others) > 0 &&
                      pthread_attr_setaffinity_np(&attributes, sizeof(cpu_set_t), &others) == 0;
    int error = pthread_create(&thread_, &attributes, run, start_.get());
    pthread_attr_destroy(&attributes);
    // the set of processors may have changed in between
    if (error == EINVAL) error = pthread_create(&thread_, nullptr, run, start_.get());
    if (error != 0) throw std::system_error(error, std::generic_category(), "pthread_create");
  }
  HelperThread(HelperThread&&) = default;
  HelperThread& operator=(HelperThread&&) = delete;

  void join() { pthread_join(thread_, nullptr); }

 private:
  struct Start {
    const std::function<void()>* work;
    cpu_set_t allowed;
    bool limited;
  };

  static void* run(void* argument) {
    const auto* const start = static_cast<const Start*>(argument);
    if (start->limited) pthread_setaffinity_np(pthread_self(), sizeof(cpu_set_t), &start->allowed);
    (*start->work)();
    return nullptr;
  }

  std::unique_ptr<Start> start_;  // where it is as long as the thread runs
  pthread_t thread_;
};

#else

class HelperThread {
 public:
  explicit HelperThread(const std::function<void()>& work) : thread_([&work] { work(); }) {}
  void join() { thread_.join(); }

 private:
  std::thread thread_;
};

#endif

}  // namespace blockwright
