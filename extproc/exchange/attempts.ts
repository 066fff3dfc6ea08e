import { LRUCache } from 'lru-cache';
import type { Attempts } from './ports.ts';

/**
 * Links the attempts of one request: Envoy opens a second ext_proc stream with the same request id when the first one
 * failed under it. Only ids that Envoy made reach us (`preserve_external_request_id: false`).
 */
export function createAttempts(rememberedMax: number): Attempts {
  const exchangeByRequest = new LRUCache<string, string>({ max: rememberedMax });
  return {
    linkTo(envoyRequestId, exchangeId) {
      if (envoyRequestId === '') return null;
      const earlier = exchangeByRequest.get(envoyRequestId);
      if (earlier === undefined) exchangeByRequest.set(envoyRequestId, exchangeId);
      return earlier ?? null;
    },
  };
}
