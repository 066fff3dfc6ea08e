/** Traffic with a secret in each place in which a caller or an upstream may put one. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from './gateway.ts';
import type { HeaderPairs, HttpsAnswer } from './https-call.ts';
import { httpsCall } from './https-call.ts';

const letters = (count: number) =>
  randomBytes(count * 2)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, count);
/** In the shape of a key of the API, which every part of the gateway knows. */
export const secret = () => `sk-ant-api03-${letters(93)}AA`;

const places = [
  ...['prompt', 'system', 'tool argument', 'tool argument key', 'tool result', 'tool name', 'tool description'],
  ...['document title', 'file name', 'model', 'user agent', 'beta header', 'metadata', 'stop sequence'],
  ...['answer text', 'answer tool input', 'upstream error', 'stream error', 'content encoding', 'malformed body'],
  ...['unknown field', 'content type', 'message role', 'session header', 'looked for', 'looked up', 'reason'],
  ...['beyond the budget', 'batch prompt', 'custom id', 'uploaded file', 'uploaded name', 'session path', 'skill name'],
  ...['base64', 'percent', 'zero width', 'answer key', 'error key'],
];

function frame(data: { type: string } & Record<string, unknown>): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A stream whose blocks hold the value cut in two, each block at another offset. */
function splitStream(start: object, deltas: (first: string, second: string) => object[], value: string): string {
  const blocks = Array.from({ length: value.length - 1 }, (_, at) => [
    frame({ type: 'content_block_start', index: at, content_block: start }),
    ...deltas(value.slice(0, at + 1), value.slice(at + 1)).map((delta) =>
      frame({ type: 'content_block_delta', index: at, delta }),
    ),
    frame({ type: 'content_block_stop', index: at }),
  ]);
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  return [
    frame({ type: 'message_start', message }),
    ...blocks.flat(),
    frame({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 1 },
    }),
    frame({ type: 'message_stop' }),
  ].join('');
}

/** Every command that shows something of what is recorded, beside those that need an id. */
export const lookingCommands: readonly (readonly string[])[] = [
  ['dump'],
  ['dump', '--check'],
  ...['user', 'session', 'skill', 'model', 'day', 'connection'].map((key) => ['usage', '--by', key]),
  ['coverage'],
  ['rejects', 'list'],
  ['search', '--masked', 'SECRET', '--noise'],
  ['search', '--masking-failed', '--noise'],
  ['mask', '--recorded'],
  ['mask', '--recorded', '--json'],
  ['remask', '--reason', 'to see what it says'],
  ['remask', '--all', '--from', '-1d', '--reason', 'to see what it says'],
];

export class PlantedTraffic {
  /** One secret for each place; what is found tells where it leaked. */
  readonly planted: Readonly<Record<string, string>> = Object.fromEntries(places.map((place) => [place, secret()]));
  readonly headers = {
    cookie: `session=${letters(40)}`,
    'proxy-authorization': `Basic ${letters(40)}`,
    'x-team-token': letters(40),
    'x-amz-security-token': letters(60),
    'x-custom': `Bearer ${letters(40)}`,
  };
  /** An ordinary word: the masked copy may have it, the sealed record and the logs not. */
  readonly ordinary = `Zwiebelkuchen${letters(12)}`;
  readonly exchanges: string[] = [];
  readonly sessions: string[] = [];
  readonly #gateway: TestGateway;
  readonly #alice: string;
  readonly #bob: string;

  /** `alice` and `bob` are tokens. */
  constructor(gateway: TestGateway, alice: string, bob: string) {
    this.#gateway = gateway;
    this.#alice = alice;
    this.#bob = bob;
  }

  async call(body: string, more: HeaderPairs = [], path = '/v1/messages'): Promise<HttpsAnswer> {
    const own = new Set(more.map(([name]) => name));
    const usual = [
      ['content-type', 'application/json'],
      ['anthropic-version', '2023-06-01'],
      ['authorization', `Bearer ${this.#alice}`],
    ] as const;
    const answer = await httpsCall(this.#gateway, {
      headers: [...usual.filter(([name]) => !own.has(name)), ...more],
      body,
      path,
    });
    if (answer.exchangeId !== '') this.exchanges.push(answer.exchangeId);
    const session = answer.headers.find(([name]) => name === 'x-skilltape-session')?.[1];
    if (session !== undefined) this.sessions.push(session);
    return answer;
  }

  of(place: string): string {
    const value = this.planted[place];
    assert.ok(value, place);
    return value;
  }

  async sendEverything(): Promise<void> {
    const conversation = {
      system: [{ type: 'text', text: `Use ${this.of('system')} for the service.` }],
      tools: [
        {
          name: `t_${this.of('tool name')}`.slice(0, 128),
          description: `needs ${this.of('tool description')}`,
          input_schema: { type: 'object' },
        },
      ],
      metadata: { user_id: this.of('metadata') },
      stop_sequences: [this.of('stop sequence')],
      zz_unknown: { deep: [this.of('unknown field')] },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: `${this.ordinary} ${this.of('prompt')}` },
            {
              type: 'document',
              title: this.of('document title'),
              source: { type: 'text', media_type: 'text/plain', data: 'x' },
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            {
              type: 'tool_use',
              id: 'toolu_1',
              name: 'open',
              input: {
                path: `/home/a/${this.of('file name')}.txt`,
                key: this.of('tool argument'),
                [this.of('tool argument key')]: 1,
              },
            },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: `env: API_KEY=${this.of('tool result')}` }],
        },
      ],
    };
    const client: HeaderPairs = [
      ...Object.entries(this.headers),
      ['user-agent', `tool/1 ${this.of('user agent')}`],
      ['anthropic-beta', `${this.of('beta header')},x`],
      ['x-claude-code-session-id', this.of('session header')],
    ];
    assert.equal((await this.call(messagesBody('', conversation), client)).status, 200);
    assert.equal(
      (
        await this.call(messagesBody(this.ordinary), [
          ['authorization', `Bearer ${this.#bob}`],
          ['x-api-key', this.#alice],
        ])
      ).status,
      401,
    );
    assert.equal(
      (
        await this.call(
          messagesBody(this.ordinary),
          [],
          `/v1/messages?access_token=${this.#bob}&api_key=${this.of('prompt')}`,
        )
      ).status,
      401,
    );
    assert.equal(
      (await this.call(messagesBody('Hi'), [], `/v1/messages?beta=true&api_key=${this.of('prompt')}`)).status,
      200,
    );
    await this.call(messagesBody(this.ordinary, { model: this.of('model') }));
    await this.call(messagesBody(this.ordinary), [['content-encoding', this.of('content encoding')]]);
    await this.call(messagesBody(this.ordinary), [['content-type', this.of('content type')]]);
    await this.call(`{"model":"claude-opus-5-5","key":"${this.of('malformed body')}" oops`);
    await this.call(messagesBody('', { messages: [{ role: this.of('message role'), content: 'x' }] }));
    this.#gateway.fake.script({
      answer: { kind: 'error', status: 400, message: `the key ${this.of('upstream error')} is not valid` },
    });
    await this.call(messagesBody('Hi'));
  }

  async answerWithSecrets(): Promise<void> {
    const text = splitStream(
      { type: 'text', text: '' },
      (...cut) => cut.map((part) => ({ type: 'text_delta', text: part })),
      this.of('answer text'),
    );
    const input = splitStream(
      { type: 'tool_use', id: 'toolu_1', name: 'open', input: {} },
      (first, second) =>
        [`{"arg":"${first}`, `${second}"}`].map((part) => ({ type: 'input_json_delta', partial_json: part })),
      this.of('answer tool input'),
    );
    const error = frame({
      type: 'error',
      error: { type: 'api_error', message: `failed with ${this.of('stream error')}` },
    });
    for (const body of [text, input, error]) {
      const type = { 'content-type': 'text/event-stream' };
      this.#gateway.fake.script({ answer: { kind: 'raw', status: 200, headers: type, body }, bytesPerWrite: 7 * 64 });
      assert.equal((await this.call(messagesBody('Hi', { stream: true }))).status, 200);
    }
  }

  /** Batches, uploads, disguises, and a prompt that takes longer than masking may. */
  async sendMore(): Promise<void> {
    const long = `${'Zwiebelkuchen '.repeat(300_000)}${this.of('beyond the budget')}`;
    assert.equal((await this.call(messagesBody(long))).status, 200);
    const params = {
      model: 'claude-opus-5-5',
      max_tokens: 8,
      messages: [{ role: 'user', content: this.of('batch prompt') }],
    };
    const batch = { requests: [{ custom_id: this.of('custom id').slice(0, 64), params }] };
    await this.call(JSON.stringify(batch), [], '/v1/messages/batches');
    const boundary = 'b0undary';
    const upload = [
      `--${boundary}`,
      `content-disposition: form-data; name="file"; filename="${this.of('uploaded name')}.txt"`,
      'content-type: text/plain',
      '',
      `API_KEY=${this.of('uploaded file')}`,
      `--${boundary}--`,
      '',
    ].join('\r\n');
    await this.call(upload, [['content-type', `multipart/form-data; boundary=${boundary}`]], '/v1/files');
    await this.call(messagesBody('x'), [], `/v1/sessions/${this.of('session path')}/events`);
    const skill = { type: 'tool_use', id: 'toolu_2', name: 'Skill', input: { skill: this.of('skill name') } };
    const disguised = [
      { type: 'text', text: Buffer.from(`key: ${this.of('base64')}; more`).toString('base64') },
      { type: 'text', text: [...this.of('percent')].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('') },
      { type: 'text', text: [...this.of('zero width')].join('\u200b') },
    ];
    const messages = [
      { role: 'user', content: disguised },
      { role: 'assistant', content: [skill] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_2', content: 'ok' }] },
    ];
    assert.equal((await this.call(messagesBody('', { messages }))).status, 200);
    const json = { 'content-type': 'application/json' };
    const bodies = [
      { status: 200, body: JSON.stringify({ type: 'message', content: [], [this.of('answer key')]: 1 }) },
      { status: 400, body: JSON.stringify({ type: 'error', error: { type: 'x', [this.of('error key')]: [1] } }) },
    ];
    for (const { status, body } of bodies) {
      this.#gateway.fake.script({ answer: { kind: 'raw', status, headers: json, body } });
      assert.equal((await this.call(messagesBody('Hi'))).status, status);
    }
  }
}
