import type { SecretRule } from './secret-rule.ts';

/**
 * `prefix` and so many characters of a class: the form that most vendors give their tokens. `alphabet` is what the example
 * is filled from, `before` what stands in it between the prefix and the run.
 */
function prefixed(
  id: string,
  prefix: string,
  characters: string,
  least: number,
  alphabet: string,
  before = '',
): SecretRule {
  const escaped = prefix.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  return {
    id,
    prefixes: [prefix],
    pattern: `${escaped}${characters}{${least}}`,
    fresh: true,
    hit: [`${prefix}${before}<${alphabet}${least}>`],
    miss: [`${prefix}name`],
  };
}

const word = '[\\w-]';
const alnum = '[A-Za-z0-9]';
const hex = '[0-9a-f]';

/** Vendors whose tokens are a prefix of their own and a run of characters. */
export const prefixedSecretRules: readonly SecretRule[] = [
  prefixed('together', 'tgp_v1_', word, 40, 'w'),
  prefixed('cerebras', 'csk-', alnum, 40, 'l'),
  prefixed('jina', 'jina_', alnum, 40, 'a'),
  prefixed('pinecone', 'pcsk_', word, 40, 'w'),
  prefixed('langfuse', 'sk-lf-', word, 30, 'h'),
  prefixed('anyscale', 'esecret_', alnum, 20, 'l'),
  prefixed('runpod', 'rpa_', alnum, 40, 'u'),
  prefixed('browserbase', 'bb_live_', word, 20, 'w'),
  prefixed('cartesia', 'sk_car_', word, 20, 'w'),
  prefixed('llamacloud', 'llx-', word, 32, 'w'),
  prefixed('apify', 'apify_api_', alnum, 36, 'a'),
  prefixed('scaleway', 'SCW', '[A-Z0-9]', 17, 'u'),
  prefixed('tencent', 'AKID', alnum, 32, 'a'),
  prefixed('yandex-key', 'AQVN', word, 35, 'w'),
  prefixed('yandex-iam', 't1.', '[\\w=-]', 60, 'w'),
  prefixed('infracost', 'ico-', alnum, 32, 'a'),
  prefixed('upcloud', 'ucat_', word, 24, 'w'),
  prefixed('circleci', 'CCIPAT_', word, 30, 'w'),
  prefixed('circleci-project', 'CCIPRJ_', word, 30, 'w'),
  prefixed('bitbucket-access', 'ATCTT3xFfG', '[\\w=-]', 40, 'w'),
  prefixed('sonarqube', 'sqp_', hex, 40, 'h'),
  prefixed('sonarqube-user', 'squ_', hex, 40, 'h'),
  prefixed('sonarqube-analysis', 'sqa_', hex, 40, 'h'),
  prefixed('nuget', 'oy2', '[a-z0-9]', 43, 'l'),
  prefixed('clojars', 'CLOJARS_', '[a-z0-9]', 60, 'l'),
  prefixed('gitea', 'gta_', hex, 40, 'h'),
  prefixed('neon', 'napi_', alnum, 40, 'l'),
  prefixed('xata', 'xau_', alnum, 30, 'a'),
  prefixed('cockroach', 'CCDB1_', alnum, 22, 'a'),
  prefixed('honeycomb', 'hcaik_', alnum, 50, 'l'),
  prefixed('elastic', 'essu_', '[\\w=-]', 60, 'w'),
  prefixed('posthog', 'phx_', alnum, 40, 'a'),
  prefixed('posthog-project', 'phc_', alnum, 40, 'a'),
  prefixed('axiom', 'xaat-', word, 36, 'h'),
  prefixed('baserow', 'brt_', alnum, 30, 'a'),
  prefixed('n8n', 'n8n_api_', alnum, 30, 'l'),
  prefixed('hubspot', 'pat-na1-', word, 36, 'h'),
  prefixed('hubspot-eu', 'pat-eu1-', word, 36, 'h'),
  prefixed('trello', 'ATTA', hex, 60, 'h'),
  prefixed('clickup', 'pk_', '\\d{4,12}_[A-Z0-9]', 30, 'u', '<d8>_'),
  prefixed('razorpay', 'rzp_live_', alnum, 14, 'a'),
  prefixed('razorpay-test', 'rzp_test_', alnum, 14, 'a'),
  prefixed('paypal', 'access_token$production$', '[\\w$]', 40, 'l'),
  prefixed('woocommerce-key', 'ck_', hex, 40, 'h'),
  prefixed('woocommerce-secret', 'cs_', hex, 40, 'h'),
  prefixed('mapbox-public', 'pk.', '[a-zA-Z0-9]{60}\\.[a-zA-Z0-9]', 22, 'a', '<a60>.'),
  prefixed('intra42', 's-s4t2ud-', hex, 64, 'h'),
  prefixed('intra42-affiliate', 's-s4t2af-', hex, 64, 'h'),
  prefixed('rootly', 'rootly_', hex, 64, 'h'),
  prefixed('persona', 'persona_production_', word, 20, 'w'),
  prefixed('lithic', 'lithic_', word, 20, 'w'),
  prefixed('increase', 'increase_', word, 20, 'w'),
  prefixed('unkey', 'unkey_', alnum, 20, 'a'),
  prefixed('resend', 're_', alnum, 24, 'a'),
  prefixed('knock', 'sk_knock_', word, 20, 'w'),
  prefixed('clerk', 'sk_clerk_', word, 20, 'w'),
  prefixed('workos', 'sk_workos_', word, 20, 'w'),
  prefixed('courier', 'pk_prod_', '[A-Z0-9]', 28, 'u'),
  prefixed('onfido', 'api_live.', '[\\w.-]', 30, 'w'),
];
