/** What an answer of Envoy's own on the release listener says of the request that was released. */

/**
 * On each answer of Envoy's own there, with why it gave it (`response_code_details`). The route takes it off what comes from
 * an upstream, so none can say of its own answer that it is not its own.
 */
export const envoyAnsweredHeader = 'x-skilltape-envoy-answered';

/**
 * - `unsent`: nothing of the request reached the upstream
 * - `broken`: the upstream broke it off before it answered
 * - `gave_up`: Envoy ended it by a limit of its own; the upstream may have begun with it
 */
export type EnvoyAnswered = 'unsent' | 'broken' | 'gave_up';

/**
 * Envoy's words; a reset has its reason in braces. What stands in neither may have been sent: nobody is told that nothing was
 * who would have Claude do it twice.
 */
const unsent =
  /^(?:no_healthy_upstream|cluster_not_found|route_not_found|maintenance_mode|rbac_access_denied|failed_to_inject_credential)/;
const unsentResets =
  /^upstream_reset_before_response_started\{(?:(?:local|remote)_)?(?:connection_(?:failure|timeout)|overflow)\b/;
const resets = /^upstream_reset_/;

export function envoyAnswered(details: string): EnvoyAnswered {
  if (unsent.test(details) || unsentResets.test(details)) return 'unsent';
  return resets.test(details) ? 'broken' : 'gave_up';
}
