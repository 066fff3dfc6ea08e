import type { ExchangeDocument, JsonValue } from '../transcript/document.ts';

type Joined<Name extends string, Rest extends string> = Rest extends '' ? Name : `${Name}.${Rest}`;

/** Dotted paths to the values in a document, as Elasticsearch names fields; free JSON has none, it is not searched. */
type PathIn<Value> = JsonValue extends Value
  ? never
  : Value extends null
    ? never
    : Value extends string | number | boolean
      ? ''
      : Value extends readonly (infer Item)[]
        ? PathIn<Item>
        : { [Name in keyof Value & string]: Joined<Name, PathIn<Value[Name]>> }[keyof Value & string];

export type DocumentField = PathIn<ExchangeDocument>;

/** Every field that an object in Kibana names. A field that is renamed in the document stops compiling here. */
export const fields = {
  time: '@timestamp',
  exchangeId: 'event.id',
  action: 'event.action',
  durationNs: 'event.duration',
  userId: 'user.id',
  userName: 'user.name',
  userEmail: 'user.email',
  requestBodyBytes: 'http.request.body.bytes',
  responseBodyBytes: 'http.response.body.bytes',
  responseStatus: 'http.response.status_code',
  conversationId: 'gen_ai.conversation.id',
  model: 'gen_ai.request.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tool: 'gen_ai.tool.name',
  sessionId: 'skilltape.session.id',
  connection: 'skilltape.connection',
  noise: 'skilltape.noise',
  skill: 'skilltape.skill.name',
  fileBytes: 'skilltape.file.bytes',
  linkedExchangeId: 'skilltape.link.event_id',
  decision: 'skilltape.verdict.decision',
  rule: 'skilltape.verdict.reasons.rule',
  reason: 'skilltape.verdict.reasons.message',
  would: 'skilltape.verdict.would',
  wouldRule: 'skilltape.verdict.would_reasons.rule',
  wouldReason: 'skilltape.verdict.would_reasons.message',
  lifted: 'skilltape.verdict.lifted',
  liftedRule: 'skilltape.verdict.lifted_reasons.rule',
  liftedBy: 'skilltape.verdict.lifted_by',
  liftedWhy: 'skilltape.verdict.lifted_why',
  outcome: 'skilltape.outcome',
  outcomeDetail: 'skilltape.outcome_detail',
  maskedType: 'skilltape.masking.findings.type',
  maskedPlace: 'skilltape.masking.findings.place',
  maskingStatus: 'skilltape.masking.status',
  maskingFailure: 'skilltape.masking.reason',
  maskedCount: 'skilltape.masking.findings.count',
} as const satisfies Readonly<Record<string, DocumentField>>;

export type Field = (typeof fields)[keyof typeof fields];
