/**
 * The index template: every field of a document is named here, and nothing else is ever mapped, so that keys which a
 * caller invents cannot grow the mapping.
 */

/** Raised when a field is added; an older template is replaced, a newer one left alone. */
export const mappingVersion = 4;

/** Above every template that Elastic ships (200) and below what an operator would take to override ours. */
const templatePriority = 500;
const totalFieldsMax = 200;

/**
 * Characters of one text. One more than this is `index.highlight.max_analyzed_offset`: a hit with a longer text makes
 * Elasticsearch refuse every search that asks for marks without a limit of its own, as those of Kibana do.
 */
export const analyzedMaxChars = 999_999;

type Property = { type?: string; [parameter: string]: unknown };
type Properties = { [name: string]: Property };

/** Lucene takes no key word above 32,766 bytes; what is longer than this stays readable but is not found by its whole. */
const keyword: Property = { type: 'keyword', ignore_above: 1024 };
const keywordAnyCase: Property = { ...keyword, normalizer: 'lowercase' };
const long: Property = { type: 'long' };
const date: Property = { type: 'date' };
const boolean: Property = { type: 'boolean' };
/** An address that is none is kept and not searchable, see `ignore_malformed` below. */
const ip: Property = { type: 'ip' };
const text: Property = { type: 'text', analyzer: 'skilltape_text' };
/** Kept and shown, never looked into. */
const opaque: Property = { type: 'object', enabled: false };

function object(properties: Properties): Property {
  return { dynamic: false, properties };
}

const properties: Properties = {
  '@timestamp': date,
  event: object({ id: keyword, kind: keyword, action: keyword, outcome: keyword, duration: long }),
  user: object({ id: keywordAnyCase, name: keywordAnyCase, email: keywordAnyCase, roles: keyword, domain: keyword }),
  related: object({ user: keyword }),
  source: object({ ip }),
  user_agent: object({ original: keyword }),
  url: object({ path: keyword }),
  http: object({
    request: object({ id: keyword, method: keyword, body: object({ bytes: long }) }),
    response: object({ status_code: long, body: object({ bytes: long }) }),
  }),
  gen_ai: object({
    provider: object({ name: keyword }),
    operation: object({ name: keyword }),
    conversation: object({ id: keyword }),
    request: object({ model: keyword, max_tokens: long, stream: boolean }),
    response: object({ id: keyword, model: keyword, finish_reasons: keyword }),
    usage: object({
      input_tokens: long,
      output_tokens: long,
      cache_read: object({ input_tokens: long }),
      cache_creation: object({ input_tokens: long }),
      reasoning: object({ output_tokens: long }),
    }),
    agent: object({ id: keyword, name: keyword }),
    tool: object({ name: keyword }),
    input: object({ text }),
    output: object({ text }),
  }),
  skilltape: object({
    outcome: keyword,
    outcome_detail: keyword,
    connection: keyword,
    endpoint: object({ name: keyword, treatment: keyword }),
    noise: keyword,
    session: object({ id: keyword, source: keyword }),
    agent: object({ parent_id: keyword, prompt_id: keyword, request_class: keyword }),
    skill: object({ name: keyword, version: keyword, source: keyword }),
    skill_offered: keyword,
    file: object({ id: keyword, role: keyword, name: keyword, media_type: keyword, bytes: long, hash: keyword }),
    link: object({ event_id: keyword, via: keyword }),
    batch: object({ id: keyword, custom_id: keyword, size: long }),
    usage: object({
      uncached_input_tokens: long,
      cache_creation_5m_input_tokens: long,
      cache_creation_1h_input_tokens: long,
      web_search_requests: long,
      web_fetch_requests: long,
      service_tier: keyword,
    }),
    billed: object({
      person: keyword,
      model: keyword,
      service_tier: keyword,
      uncached_input_tokens: long,
      cache_read_input_tokens: long,
      cache_creation_5m_input_tokens: long,
      cache_creation_1h_input_tokens: long,
      output_tokens: long,
      web_search_requests: long,
    }),
    verdict: object({
      decision: keyword,
      reasons: object({ rule: keyword, message: keyword }),
      would: keyword,
      would_reasons: object({ rule: keyword, message: keyword }),
      lifted: keyword,
      lifted_reasons: object({ rule: keyword, message: keyword }),
      lifted_grants: keyword,
      lifted_by: keyword,
      lifted_why: keyword,
      policy_revision: keyword,
      record_policy_revision: keyword,
    }),
    keep: keyword,
    retention_class: keyword,
    masking: object({
      status: keyword,
      reason: keyword,
      findings: object({ type: keyword, place: keyword, count: long }),
      readable: keyword,
      whole: keyword,
      dropped: keyword,
    }),
    decoded: boolean,
    decoded_detail: keyword,
    body: object({
      request: object({ codings: keyword, decoded_bytes: long }),
      answer: object({ codings: keyword, decoded_bytes: long }),
    }),
    truncated: boolean,
    history: object({ message_count: long, prefix_hash: keyword }),
    request_hash: keyword,
    system: opaque,
    tools: opaque,
    new_messages: opaque,
    answer: opaque,
    error: opaque,
  }),
};

/**
 * Kinds of text analysis, best first. `folding` finds what SQLite's tokenizer finds (words are runs of letters and
 * digits, accents do not matter) and needs filters of the module analysis-common, which every full distribution has;
 * `standard` is in every server.
 */
export const textAnalyses = ['folding', 'standard'] as const;
export type TextAnalysis = (typeof textAnalyses)[number];

/** What Java does not call white space: no-break spaces, zero width space, byte order mark. */
const blanks = ['\u00a0', '\u2007', '\u202f', '\u200b', '\ufeff'];

const analysisSettings: Record<TextAnalysis, object> = {
  folding: {
    tokenizer: {
      skilltape_words: { type: 'char_group', tokenize_on_chars: ['whitespace', 'punctuation', 'symbol', ...blanks] },
    },
    analyzer: {
      skilltape_text: { type: 'custom', tokenizer: 'skilltape_words', filter: ['lowercase', 'asciifolding'] },
    },
  },
  standard: { analyzer: { skilltape_text: { type: 'standard' } } },
};

export type LayoutOptions = { prefix: string; numberOfReplicas: number; refreshIntervalMs: number };

/** Body of `PUT /_index_template/<prefix>`. */
export function indexTemplate(options: LayoutOptions, analysis: TextAnalysis): object {
  const { prefix, numberOfReplicas, refreshIntervalMs } = options;
  const meta = { managed_by: 'skilltape', mapping_version: mappingVersion, text_analysis: analysis };
  return {
    index_patterns: [`${prefix}-*`],
    priority: templatePriority,
    version: mappingVersion,
    _meta: meta,
    template: {
      settings: {
        number_of_shards: 1,
        number_of_replicas: numberOfReplicas,
        codec: 'best_compression',
        refresh_interval: `${refreshIntervalMs}ms`,
        'mapping.total_fields.limit': totalFieldsMax,
        // One odd value must not keep a whole exchange out of the index.
        'mapping.ignore_malformed': true,
        analysis: analysisSettings[analysis],
      },
      mappings: { dynamic: false, date_detection: false, numeric_detection: false, _meta: meta, properties },
    },
  };
}

/** The parameters of a field of the mapping by its dotted path; undefined when nothing is mapped there. */
export function mappedField(path: string): { type: string; enabled: boolean } | undefined {
  let inner: Properties | undefined = properties;
  let property: Property | undefined;
  for (const name of path.split('.')) {
    property = inner !== undefined && Object.hasOwn(inner, name) ? inner[name] : undefined;
    if (property === undefined) return undefined;
    inner = property.properties as Properties | undefined;
  }
  return property?.type === undefined ? undefined : { type: property.type, enabled: property.enabled !== false };
}
