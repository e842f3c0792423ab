/* A host in C: what Lightbeam compiles, what it refuses, what is invalid, artifacts, and a component. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasm.h>
#include <wasmtime.h>

static void check(int ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
  }
}

static void none(wasmtime_error_t *error, const char *what) {
  if (error != NULL) {
    wasm_byte_vec_t message;
    wasmtime_error_message(error, &message);
    fprintf(stderr, "failed: %s: %.*s\n", what, (int)message.size, message.data);
    exit(1);
  }
}

static wasm_byte_vec_t binary(const char *text) {
  wasm_byte_vec_t wasm;
  none(wasmtime_wat2wasm(text, strlen(text), &wasm), "wat2wasm");
  return wasm;
}

/* Calls the export `f`, which takes nothing and gives a number. */
static int32_t call(wasm_engine_t *engine, wasmtime_module_t *module) {
  wasmtime_store_t *store = wasmtime_store_new(engine, NULL, NULL);
  wasmtime_context_t *context = wasmtime_store_context(store);
  wasmtime_instance_t instance;
  wasm_trap_t *trap = NULL;
  none(wasmtime_instance_new(context, module, NULL, 0, &instance, &trap), "instance");
  wasmtime_extern_t export;
  check(wasmtime_instance_export_get(context, &instance, "f", 1, &export), "export");
  wasmtime_val_t result;
  none(wasmtime_func_call(context, &export.of.func, NULL, 0, &result, 1, &trap), "call");
  check(trap == NULL, "no trap");
  wasmtime_store_delete(store);
  return result.of.i32;
}

/* Few bytes that put many values on the stack at once: Lightbeam refuses them. */
static char *refused(void) {
  char *text = malloc(1 << 16);
  char *at = text;
  at += sprintf(at, "(module (func $many (result");
  for (int i = 0; i < 900; i++) at += sprintf(at, " i32");
  at += sprintf(at, ")");
  for (int i = 0; i < 900; i++) at += sprintf(at, " i32.const 1");
  at += sprintf(at, ") (func (export \"f\") (result i32)");
  for (int i = 0; i < 80; i++) at += sprintf(at, " call $many");
  sprintf(at, " i32.const 7 return))");
  return text;
}

int main(void) {
  wasm_engine_t *engine = wasm_engine_new();
  wasmtime_module_t *module = NULL;

  wasm_byte_vec_t wasm = binary("(module (func (export \"f\") (result i32) i32.const 42))");
  none(wasmtime_module_new(engine, (uint8_t *)wasm.data, wasm.size, &module), "module");
  check(call(engine, module) == 42, "42");
  none(wasmtime_module_validate(engine, (uint8_t *)wasm.data, wasm.size), "validate");

  wasm_byte_vec_t artifact;
  none(wasmtime_module_serialize(module, &artifact), "serialize");
  wasmtime_module_delete(module);
  none(wasmtime_module_deserialize(engine, (uint8_t *)artifact.data, artifact.size, &module), "deserialize");
  check(call(engine, module) == 42, "42 once more");
  wasmtime_module_delete(module);

  /* wasm.h has ways of its own. */
  wasm_store_t *store = wasm_store_new(engine);
  check(wasm_module_validate(store, &wasm), "wasm.h: validate");
  wasm_module_t *other = wasm_module_new(store, &wasm);
  check(other != NULL, "wasm.h: module");
  wasm_byte_vec_t other_artifact;
  wasm_module_serialize(other, &other_artifact);
  check(other_artifact.size > 100, "wasm.h: serialize");
  wasm_byte_vec_delete(&other_artifact);
  wasm_module_delete(other);
  wasm_store_delete(store);
  wasm_byte_vec_delete(&artifact);
  wasm_byte_vec_delete(&wasm);

  char *text = refused();
  wasm = binary(text);
  free(text);
  none(wasmtime_module_new(engine, (uint8_t *)wasm.data, wasm.size, &module), "a refused module");
  check(call(engine, module) == 7, "7");
  wasmtime_module_delete(module);
  wasm_byte_vec_delete(&wasm);

  static const uint8_t invalid[] = "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\xa\5\1\3\0\x1a\xb";
  wasmtime_error_t *error = wasmtime_module_new(engine, invalid, sizeof invalid - 1, &module);
  check(error != NULL, "an invalid module is an error");
  wasmtime_error_delete(error);

  wasm = binary("(component (core module $m (func (export \"f\") (result i32) i32.const 5))"
                " (core instance $i (instantiate $m))"
                " (func (export \"f\") (result u32) (canon lift (core func $i \"f\"))))");
  wasmtime_component_t *component = NULL;
  none(wasmtime_component_new(engine, (uint8_t *)wasm.data, wasm.size, &component), "component");
  none(wasmtime_component_serialize(component, &artifact), "serialize a component");
  check(artifact.size > 100, "an artifact of a component");
  wasm_byte_vec_delete(&artifact);
  wasmtime_component_delete(component);
  wasm_byte_vec_delete(&wasm);

  wasm_config_t *config = wasm_config_new();
  wasmtime_config_cranelift_nan_canonicalization_set(config, true);
  wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_NONE);
  wasmtime_config_strategy_set(config, WASMTIME_STRATEGY_WINCH);
  wasm_engine_t *winch = wasm_engine_new_with_config(config);
  wasm = binary("(module (func (export \"f\") (result i32) i32.const 1))");
  none(wasmtime_module_new(winch, (uint8_t *)wasm.data, wasm.size, &module), "a module by Winch");
  check(call(winch, module) == 1, "1");
  wasmtime_module_delete(module);
  wasm_byte_vec_delete(&wasm);
  wasm_engine_delete(winch);
  wasm_engine_delete(engine);
  puts("all is well");
  return 0;
}
