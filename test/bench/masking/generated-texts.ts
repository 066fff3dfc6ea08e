/** Texts with made-up personal data at known places: prose, chat, transcripts as JSON, logs, code and tables. */
import { Chance, harmless, makers } from './generated-values.ts';
import type { LabelledText, Span } from './quality.ts';

type Type = keyof typeof makers;
const types = Object.keys(makers) as Type[];

/** A text under way, and what stands where in it. */
class Draft {
  text = '';
  readonly spans: Span[] = [];

  add(text: string): this {
    this.text += text;
    return this;
  }

  value(type: Type, value: string): this {
    this.spans.push({ start: this.text.length, end: this.text.length + value.length, type });
    return this.add(value);
  }
}

const words: Readonly<Record<Type, readonly string[]>> = {
  EMAIL_ADDRESS: ['Mail', 'email:', 'Reply-To:', 'kontakt'],
  PHONE_NUMBER: ['call', 'Tel.', 'phone:', 'mobile', 'Telefon:', 'WhatsApp', 'ring me on'],
  CREDIT_CARD: ['card', 'Karte', 'paid with', 'PAN:'],
  IBAN_CODE: ['IBAN', 'account', 'Konto', 'transfer to'],
  US_SSN: ['SSN', 'social security number', 'my SSN is', 'ssn:'],
  IP_ADDRESS: ['from', 'host', 'client', 'peer'],
  URL: ['see', 'open', 'GET', 'link:'],
};
const keys: Readonly<Record<Type, string>> = {
  EMAIL_ADDRESS: 'email',
  PHONE_NUMBER: 'phone',
  CREDIT_CARD: 'card',
  IBAN_CODE: 'iban',
  US_SSN: 'ssn',
  IP_ADDRESS: 'ip',
  URL: 'url',
};

function sentence(draft: Draft, chance: Chance): void {
  const type = chance.of(types);
  draft.add(chance.of(['Please ', 'Hi, ', 'As agreed, ', 'Bitte ', 'FYI: ', '']));
  draft.add(`${chance.of(words[type])} `).value(type, makers[type](chance));
  draft.add(chance.of(['. ', ', thanks. ', ' today. ', '; ', '?\n', ' (again). ']));
  if (chance.below(2) === 0) draft.add(`About ${harmless(chance)}. `);
}

const forms: readonly ((draft: Draft, chance: Chance) => void)[] = [
  (draft, chance) => {
    for (let count = 1 + chance.below(3); count > 0; count--) sentence(draft, chance);
  },
  (draft, chance) => {
    for (const who of ['ada', 'support', 'ada']) {
      draft.add(`[09:${10 + chance.below(49)}] ${who}: `);
      sentence(draft, chance);
      draft.add('\n');
    }
  },
  (draft, chance) => {
    const type = chance.of(types);
    draft
      .add(`{"role":"user","content":[{"type":"text","text":"${chance.of(words[type])} `)
      .value(type, makers[type](chance));
    const key = chance.of(types);
    draft.add(`\\nthanks"}],"metadata":{"${keys[key]}":"`).value(key, makers[key](chance));
    draft.add(`","note":"${harmless(chance)}"}}`);
  },
  (draft, chance) => {
    draft.add(`2026-03-0${1 + chance.below(9)}T10:00:0${chance.below(9)}.123Z INFO [req=${chance.digits(6)}] client=`);
    draft
      .value('IP_ADDRESS', makers.IP_ADDRESS(chance))
      .add(` user=`)
      .value('EMAIL_ADDRESS', makers.EMAIL_ADDRESS(chance));
    draft.add(` took ${chance.below(900)}ms, ${harmless(chance)}\n`);
  },
  (draft, chance) => {
    const type = chance.of(types);
    draft
      .add(`const ${keys[type]} = '`)
      .value(type, makers[type](chance))
      .add(`'; // ${harmless(chance)}\n`);
  },
  (draft, chance) => {
    const columns = [chance.of(types), chance.of(types)] as const;
    const separator = chance.of([',', ';', '\t']);
    draft.add(['id', ...columns.map((type) => keys[type])].join(separator)).add('\n');
    for (let row = 1; row <= 3; row++) {
      draft.add(String(row));
      for (const type of columns) draft.add(separator).value(type, makers[type](chance));
      draft.add('\n');
    }
  },
  (draft, chance) => {
    draft.add(`Nothing here: ${harmless(chance)}, ${harmless(chance)} and ${harmless(chance)}.`);
  },
];

/** The same for the same seed. */
export function generatedTexts(seed: number, count: number): LabelledText[] {
  const chance = new Chance(seed);
  return Array.from({ length: count }, (_, at) => {
    const draft = new Draft();
    chance.of(forms)(draft, chance);
    return { id: `${seed}-${at}`, text: draft.text, spans: draft.spans };
  });
}
