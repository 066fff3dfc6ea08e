/** The part of Kibana's query language that the shipped objects use, as Kibana translates it for Elasticsearch. */
export type TranslatedQuery = { readonly query: object; readonly fields: readonly string[] };

const token = /\s*([():]|"(?:\\.|[^"\\])*"|[^\s():"]+)/y;

/** Throws an Error for text that is not of this part of the language. */
export function translateKql(text: string): TranslatedQuery {
  const tokens = tokensOf(text);
  if (tokens.length === 0) return { query: { match_all: {} }, fields: [] };
  const parser = new Parser(tokens);
  const query = parser.either();
  parser.end();
  return { query, fields: [...parser.fields] };
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const found = token.exec(text);
    if (found?.[1] === undefined) throw new Error(`no KQL: ${text}`);
    tokens.push(found[1]);
  }
  return tokens;
}

class Parser {
  readonly fields = new Set<string>();
  readonly #tokens: string[];

  constructor(tokens: string[]) {
    this.#tokens = [...tokens];
  }

  either(): object {
    const should = [this.#both()];
    while (this.#takes('or')) should.push(this.#both());
    return should.length === 1 ? (should[0] as object) : { bool: { should, minimum_should_match: 1 } };
  }

  end(): void {
    if (this.#tokens.length > 0) throw new Error(`KQL goes on with ${this.#tokens.join(' ')}`);
  }

  #both(): object {
    const filter = [this.#negated()];
    while (this.#takes('and')) filter.push(this.#negated());
    return filter.length === 1 ? (filter[0] as object) : { bool: { filter } };
  }

  #negated(): object {
    if (this.#takes('not')) return { bool: { must_not: this.#negated() } };
    if (!this.#takes('(')) return this.#condition();
    const inner = this.either();
    this.#must(')');
    return inner;
  }

  #condition(): object {
    const field = this.#word();
    this.fields.add(field);
    this.#must(':');
    if (!this.#takes('(')) return valueClause(field, this.#word());
    const should = [valueClause(field, this.#word())];
    while (this.#takes('or')) should.push(valueClause(field, this.#word()));
    this.#must(')');
    return { bool: { should, minimum_should_match: 1 } };
  }

  #takes(expected: string): boolean {
    if (this.#tokens[0] !== expected) return false;
    this.#tokens.shift();
    return true;
  }

  #must(expected: string): void {
    if (!this.#takes(expected)) throw new Error(`KQL lacks ${expected} before ${this.#tokens.join(' ')}`);
  }

  #word(): string {
    const word = this.#tokens.shift();
    if (word === undefined || /^([():]|and|or|not)$/.test(word)) throw new Error(`KQL has ${word} for a word`);
    return word;
  }
}

function valueClause(field: string, value: string): object {
  if (value === '*') return { exists: { field } };
  if (!value.startsWith('"')) return { match: { [field]: value } };
  return { match_phrase: { [field]: value.slice(1, -1).replaceAll(/\\(.)/g, '$1') } };
}
