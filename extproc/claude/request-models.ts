/** Lists the models that a request may have answer, wherever it names them. */
import { isJsonObject, type JsonValue } from './json.ts';

export type ModelList = { ok: true; models: string[] } | { ok: false; fault: string };

/**
 * Stands for the models that Claude chooses by itself (`fallbacks: "default"`): no name is known of them, so only a
 * policy that knows this word lets them through.
 */
export const defaultFallbacks = 'default';

/** Policy judges each of them, while the request waits (inv. 10). */
export const requestModelsMax = 32;

/** The model that is asked for, those that take over when it declines, and those of the tools; each once, in order. */
export function readModels(model: string, fallbacks: JsonValue | undefined, toolModels: readonly string[]): ModelList {
  const models = new Set(model === '' ? [] : [model]);
  if (fallbacks === defaultFallbacks) models.add(defaultFallbacks);
  else if (Array.isArray(fallbacks)) {
    for (const [at, fallback] of fallbacks.entries()) {
      if (!isJsonObject(fallback)) return { ok: false, fault: `fallbacks[${at}] must be an object` };
      if (!isModelName(fallback.model))
        return { ok: false, fault: `fallbacks[${at}].model must be a non-empty string` };
      models.add(fallback.model);
    }
  } else if (fallbacks !== undefined && fallbacks !== null) {
    return { ok: false, fault: 'fallbacks must be an array or the word default' };
  }
  for (const each of toolModels) models.add(each);
  if (models.size > requestModelsMax) return { ok: false, fault: `it names more than ${requestModelsMax} models` };
  return { ok: true, models: [...models] };
}

export function isModelName(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
