export type Path = readonly (string | number)[];

/**
 * One value of an Envoy configuration with the way to it. Reading on from a value that is not there gives values that are
 * not there, so that a check says what it wants and not how to get at it. Names are written as in Envoy's documentation;
 * what protobuf's JSON also takes (`failureModeAllow`) is found too.
 */
export class Setting {
  readonly value: unknown;
  readonly path: Path;

  constructor(value: unknown, path: Path = []) {
    this.value = value;
    this.path = path;
  }

  at(...keys: readonly (string | number)[]): Setting {
    return keys.reduce<Setting>((setting, key) => setting.#step(key), this);
  }

  #step(key: string | number): Setting {
    const { value } = this;
    if (typeof value !== 'object' || value === null) return new Setting(undefined, [...this.path, key]);
    const found = [key, typeof key === 'string' ? camelCase(key) : key].find((name) => Object.hasOwn(value, name));
    const name = found ?? key;
    return new Setting(found === undefined ? undefined : Reflect.get(value, found), [...this.path, name]);
  }

  get isWritten(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  get items(): Setting[] {
    return Array.isArray(this.value) ? this.value.map((value, at) => new Setting(value, [...this.path, at])) : [];
  }

  get entries(): [string, Setting][] {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
    return Object.entries(value).map(([name, inner]) => [name, new Setting(inner, [...this.path, name])]);
  }

  get text(): string {
    return typeof this.value === 'string' ? this.value : '';
  }

  /** A list of texts; what is no text is left out. */
  get texts(): string[] {
    return this.items.map(({ text }) => text).filter((text) => text !== '');
  }

  /** Envoy's YAML reader is of YAML 1.1, where `yes` and `on` are true as well. */
  get isOn(): boolean {
    return this.value === true || (typeof this.value === 'string' && /^(true|yes|on|y)$/i.test(this.value));
  }

  get number(): number | undefined {
    const { value } = this;
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, 'value')) return this.at('value').number;
    if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
    return typeof value === 'number' ? value : undefined;
  }

  /** A protobuf duration such as `0.5s`. */
  get durationMs(): number | undefined {
    const match = /^(\d+(?:\.\d+)?)s$/.exec(this.text);
    return match === null ? undefined : Number(match[1]) * 1000;
  }

  /** The name of an enum's value, which protobuf also takes as its number. */
  choice(names: readonly string[]): string {
    const { number } = this;
    return number === undefined ? this.text : (names[number] ?? '');
  }

  /** Last part of `@type`: the name of the message. */
  get type(): string {
    return (this.at('@type').text || this.at('type_url').text).split(/[./]/).at(-1) ?? '';
  }

  /** What stands in a protobuf `Any`: of a TypedStruct, what it stands for. */
  get unpacked(): { type: string; config: Setting } {
    if (this.type !== 'TypedStruct') return { type: this.type, config: this };
    return { type: this.at('type_url').text.split(/[./]/).at(-1) ?? '', config: this.at('value') };
  }
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
