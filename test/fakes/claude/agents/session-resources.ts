/** What a session may reach: repositories, files and memory, without the tokens that the caller gave for them. */
import { ApiError, notFound } from '../api-error.ts';
import type { Json } from '../message.ts';
import { InvalidRequest, property } from '../messages-request.ts';
import type { IdSeries, SteppingClock } from '../storage/foretold.ts';

export type SessionResource = Json & { readonly id: string };

const RESOURCES_MAX = 100;

export class SessionResources {
  #resources: readonly SessionResource[] = [];
  readonly #nextId: IdSeries;
  readonly #clock: SteppingClock;

  constructor(nextId: IdSeries, clock: SteppingClock) {
    this.#nextId = nextId;
    this.#clock = clock;
  }

  add(resource: unknown): SessionResource {
    if (typeof property(resource, 'type') !== 'string') throw new InvalidRequest('resources: type: Field required');
    if (this.#resources.length >= RESOURCES_MAX) throw new ApiError(400, `resources: at most ${RESOURCES_MAX}`);
    const now = this.#clock.now();
    // The API shows a token never again.
    const { authorization_token: _, ...shown } = Object(resource) as Record<string, unknown>;
    const added = { mount_path: '/mnt/resource', ...shown, id: this.#nextId(), created_at: now, updated_at: now };
    this.#resources = [...this.#resources, added];
    return added;
  }

  /** A new token: nothing of it is shown. */
  touch(id: string): SessionResource {
    const touched = { ...this.get(id), updated_at: this.#clock.now() };
    this.#resources = this.#resources.map((resource) => (resource.id === id ? touched : resource));
    return touched;
  }

  /** Throws 404. */
  get(id: string): SessionResource {
    const found = this.#resources.find((resource) => resource.id === id);
    if (found === undefined) throw notFound(`resource ${id}`);
    return found;
  }

  delete(id: string): void {
    const { id: gone } = this.get(id);
    this.#resources = this.#resources.filter((resource) => resource.id !== gone);
  }

  list(): readonly SessionResource[] {
    return this.#resources;
  }
}
