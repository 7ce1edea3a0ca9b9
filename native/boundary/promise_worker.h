// The whole async story: `work` runs on a thread of libuv's pool and must not touch JavaScript; `finish` then runs on
// the JS thread and makes the promise's value. The options object is held until the promise settles, so the memory of
// its typed arrays stays valid; callers must neither write to nor transfer them meanwhile.
#pragma once

#include <napi.h>

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/error_codes.h"

namespace blockwright {

inline Napi::Error to_javascript(Napi::Env env, const std::string& code, const std::string& message,
                                 const Error::Details& details = {}) {
  Napi::Error error = Napi::Error::New(env, message);
  for (const auto& [name, value] : details) error.Set(name, Napi::String::New(env, value));
  error.Set("code", Napi::String::New(env, code));
  return error;
}

template <class Work, class Finish>
class PromiseWorker : public Napi::AsyncWorker {
 public:
  PromiseWorker(Napi::Env env, const Napi::Object& options, Work work, Finish finish)
      : Napi::AsyncWorker(env, "blockwright"),
        deferred_(Napi::Promise::Deferred::New(env)),
        options_(Napi::Persistent(options)),
        work_(std::move(work)),
        finish_(std::move(finish)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      work_();
    } catch (const Error& error) {
      fail(error.code(), error.what());
      details_ = error.details();
    } catch (const std::bad_alloc&) {
      fail(ERR_OUT_OF_MEMORY, "out of memory in native code");
    } catch (const std::exception& error) {
      fail(ERR_NATIVE, error.what());
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    if (!code_.empty()) {
      deferred_.Reject(to_javascript(env, code_, message_, details_).Value());
      return;
    }
    try {
      deferred_.Resolve(finish_(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (const std::bad_alloc&) {
      deferred_.Reject(to_javascript(env, ERR_OUT_OF_MEMORY, "out of memory while results were copied").Value());
    }
  }

 private:
  void fail(const char* code, const char* message) {
    code_ = code;
    message_ = message;
  }

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference options_;
  Work work_;
  Finish finish_;
  std::string code_;
  std::string message_;
  Error::Details details_;
};

// Queues the work and returns its promise.
template <class Work, class Finish>
Napi::Value run_async(Napi::Env env, const Napi::Object& options, Work work, Finish finish) {
  auto* worker = new PromiseWorker<Work, Finish>(env, options, std::move(work), std::move(finish));
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

// Turns an Error thrown while arguments are read into a JavaScript exception with its code.
template <Napi::Value (*Function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return Function(info);
  } catch (const Error& error) {
    throw to_javascript(info.Env(), error.code(), error.what(), error.details());
  } catch (const std::bad_alloc&) {
    throw to_javascript(info.Env(), ERR_OUT_OF_MEMORY, "out of memory in native code");
  }
}

}  // namespace blockwright
