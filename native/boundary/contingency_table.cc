#include "kernels/contingency_table.h"

#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"
#include "boundary/row_runs.h"
#include "kernels/merge_contingency_tables.h"

namespace blockwright {

namespace {

Napi::Value contingency_table_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> a = arguments.array<uint64_t>("a");
  const Span<uint64_t> b = arguments.array<uint64_t>("b", a.size);
  const uint8_t* mask = arguments.has("mask") ? arguments.array<uint8_t>("mask", a.size).data : nullptr;
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<ContingencyTable>();
  return run_async(
      info.Env(), arguments.object(),
      [=] { *result = contingency_table(a.data, b.data, mask, a.size, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("a", to_typed_array(env, result->a));
        object.Set("b", to_typed_array(env, result->b));
        object.Set("counts", to_typed_array(env, result->counts));
        object.Set("places", to_typed_array(env, result->places));
        object.Set("runs", to_typed_array(env, result->runs));
        return object;
      });
}

TableColumns columns_of(const Arguments& arguments, const char* name) {
  const Napi::Object columns = object_of(arguments.object().Get(name), name);
  const Span<uint64_t> a = typed_elements<uint64_t>(columns.Get("a"), "a");
  return {a, typed_elements<uint64_t>(columns.Get("b"), "b", a.size),
          typed_elements<double>(columns.Get("counts"), "counts", a.size),
          typed_elements<double>(columns.Get("places"), "places", a.size),
          typed_elements<uint32_t>(columns.Get("runs"), "runs", a.size)};
}

Napi::Value merge_contingency_tables_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const TableColumns x = columns_of(arguments, "x");
  const TableColumns y = columns_of(arguments, "y");
  const TableColumns merged = columns_of(arguments, "merged");
  if (merged.a.size != x.a.size + y.a.size) throw Error(ERR_ARGUMENT, "merged: expected room for the rows of both tables");
  const Cancellation cancellation = arguments.cancellation();
  const auto rows = std::make_shared<size_t>();
  return run_async(
      info.Env(), arguments.object(), [=] { *rows = merge_contingency_tables(x, y, merged, cancellation); },
      [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(*rows)); });
}

}  // namespace

void export_contingency_table(Exports exports) {
  BLOCKWRIGHT_EXPORT(exports, "contingencyTable", contingency_table_async);
  BLOCKWRIGHT_EXPORT(exports, "mergeContingencyTables", merge_contingency_tables_async);
}

}  // namespace blockwright
