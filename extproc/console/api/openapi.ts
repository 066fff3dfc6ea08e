/** The OpenAPI 3.1 document, made of the same schemas that requests are read by. */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { apiPrefix, type Operation, operations, pathParameters, type SchemaName, schemas } from './operations.ts';

type Json = Record<string, unknown>;

/** Those that any call may be answered with. */
const usualProblems = [401, 429, 503] as const;

/** `sessionCookie` is the name of the cookie that a browser has. */
export function openApiDocument(origin: string, sessionCookie: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const path = `${apiPrefix}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: described(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'skilltape',
      version: '1',
      description:
        'Requests that wait for an approval of people, access on request and break-glass: asking, seeing, and deciding; and stopping what runs.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: origin }],
    security: [{ token: [] }, { session: [], csrf: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, jsonSchemaOf(schema)])),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Of a configured issuer of people.',
        },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookie },
        csrf: { type: 'apiKey', in: 'header', name: 'x-csrf-token', description: 'With a session, for each POST.' },
      },
    },
  };
}

function described({ id, summary, query, body, path, answer, problems, isOpen }: Operation): Json {
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => pathParameter(name)),
    ...(query === undefined ? [] : parametersOf(query)),
  ];
  const content = answer === null ? { schema: { type: 'object' } } : { schema: reference(answer) };
  const faults = isOpen ? [] : [...problems, ...usualProblems].sort();
  return {
    operationId: id,
    summary,
    ...(isOpen && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: reference(body) } } },
    }),
    responses: {
      200: { description: 'As asked.', content: { 'application/json': content } },
      ...Object.fromEntries(faults.map((status) => [status, problemAnswer(status)])),
    },
  };
}

function pathParameter(name: string): Json {
  return { name, in: 'path', required: true, schema: jsonSchemaOf(pathParameters[name] ?? z.string()) };
}

function problemAnswer(status: number): Json {
  return {
    description: STATUS_CODES[status],
    content: { 'application/problem+json': { schema: reference('Problem') } },
  };
}

function reference(name: SchemaName): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function parametersOf(query: NonNullable<Operation['query']>): Json[] {
  return Object.entries(query.shape).map(([name, schema]) => {
    const { description, ...rest } = jsonSchemaOf(schema) as { description?: string };
    return { name, in: 'query', required: false, description, schema: rest };
  });
}

function jsonSchemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' }) as Json;
  return rest;
}
