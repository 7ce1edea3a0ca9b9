#include "kernels/table_scores.h"

#include <memory>

#include "boundary/exports.h"
#include "boundary/promise_worker.h"
#include "boundary/results.h"

namespace blockwright {

namespace {

size_t whole_number(const Arguments& arguments, const char* name) {
  const int64_t value = arguments.integer(name);
  if (value < 0) throw Error(ERR_ARGUMENT, std::string(name) + ": expected a non-negative integer");
  return static_cast<size_t>(value);
}

// As columns; the rows of entry i are rows[begins[i] .. begins[i + 1]).
Napi::Object errors_as_columns(Napi::Env env, const std::vector<ErrorOfLabel>& errors) {
  std::vector<uint64_t> ids;
  std::vector<double> bits, voxels, partners, begins{0}, rows;
  for (const ErrorOfLabel& error : errors) {
    ids.push_back(error.id);
    bits.push_back(error.bits);
    voxels.push_back(error.voxels);
    partners.push_back(static_cast<double>(error.partners));
    rows.insert(rows.end(), error.rows.begin(), error.rows.end());
    begins.push_back(static_cast<double>(rows.size()));
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("ids", to_typed_array(env, ids));
  object.Set("bits", to_typed_array(env, bits));
  object.Set("voxels", to_typed_array(env, voxels));
  object.Set("partners", to_typed_array(env, partners));
  object.Set("begins", to_typed_array(env, begins));
  object.Set("rows", to_typed_array(env, rows));
  return object;
}

Napi::Value table_scores_async(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const Span<uint64_t> a = arguments.array<uint64_t>("a");
  const Span<uint64_t> b = arguments.array<uint64_t>("b", a.size);
  const Span<double> counts = arguments.array<double>("counts", a.size);
  const TableScoreOptions options{arguments.boolean("ignoreBackground"), whole_number(arguments, "labels"),
                                  whole_number(arguments, "partners")};
  const Cancellation cancellation = arguments.cancellation();
  const auto result = std::make_shared<TableScores>();
  return run_async(
      info.Env(), arguments.object(), [=] { *result = table_scores(a, b, counts, options, cancellation); },
      [=](Napi::Env env) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        const auto set = [&](const char* name, double value) { object.Set(name, Napi::Number::New(env, value)); };
        set("voxels", result->voxels);
        set("voiSplit", result->voi_split);
        set("voiMerge", result->voi_merge);
        set("jointSquares", result->joint_squares);
        set("aSquares", result->a_squares);
        set("bSquares", result->b_squares);
        set("aLabels", static_cast<double>(result->a_labels));
        set("bLabels", static_cast<double>(result->b_labels));
        object.Set("merges", errors_as_columns(env, result->merges));
        object.Set("splits", errors_as_columns(env, result->splits));
        return object;
      });
}

}  // namespace

void export_table_scores(Exports exports) { BLOCKWRIGHT_EXPORT(exports, "tableScores", table_scores_async); }

}  // namespace blockwright
