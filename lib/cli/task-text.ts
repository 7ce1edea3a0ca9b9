import { z } from 'zod';
import { type ReferenceKind, references } from '../workers/option-types.js';
import type { TaskDefinition } from '../workers/task-definition.js';
import { alignColumns } from './format.js';

/** The parts of a JSON Schema that the options of tasks use. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  /** Set here: text that names something else. */
  names?: ReferenceKind;
}

const NAMED = {
  array: 'name of an array',
  graph: 'name of a graph',
  lut: 'path of a LUT',
  file: 'path of a file or folder',
} as const;

const OPTIONAL = 'optional';

interface TaskOption {
  readonly name: string;
  readonly type: string;
  /** As JSON; empty where the option must be given. */
  readonly default: string;
  readonly description: string;
}

/** One line a type of task. */
export function taskListText(definitions: readonly TaskDefinition[]): string {
  return alignColumns(
    definitions.map(({ type, description }) => [type, description]),
    [0, 1],
  ).join('\n');
}

/** What a type of task does, and its options one after the other. */
export function taskText(definition: TaskDefinition): string {
  const lines = optionsOf(definition).flatMap(({ name, type, default: preset, description }) => {
    const how = preset === '' ? type : `${type}, ${preset === OPTIONAL ? preset : `default ${preset}`}`;
    return [`  ${name}: ${how}`, ...(description === '' ? [] : [`      ${description}`])];
  });
  return [`${definition.type}: ${definition.description}`, '', ...lines].join('\n');
}

/** All types of tasks as a page in Markdown. */
export function tasksPage(definitions: readonly TaskDefinition[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const parts = definitions.map((definition) => {
    const rows = optionsOf(definition).map(({ name, type, default: preset, description }) => {
      return `| \`${name}\` | ${cell(type)} | ${cell(preset)} | ${cell(description)} |`;
    });
    return [
      `## ${definition.type}\n`,
      `${definition.description}\n`,
      '| option | value | default | what it is |',
      '|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
  });
  const head = [
    '# Tasks\n',
    'Every type of task that a pipeline file can name, and its options. This page is what `npx blockwright tasks --markdown`',
    'prints; `npx blockwright tasks TYPE` shows one type in a terminal. What all tasks have (`executor`, `skip`, `resources`, ...)',
    'and how arrays and graphs get their names is in [pipeline.md](pipeline.md).\n',
  ];
  return `${[...head, ...parts].join('\n').trimEnd()}\n`;
}

function optionsOf({ options }: TaskDefinition): TaskOption[] {
  const { properties = {}, required = [] } = z.toJSONSchema(options, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const mark = references.get(zodSchema);
      if (mark !== undefined) (jsonSchema as Schema).names = mark.kind;
    },
  }) as Schema;
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    type: typeText(schema),
    default: schema.default !== undefined ? JSON.stringify(schema.default) : required.includes(name) ? '' : OPTIONAL,
    description: schema.description ?? '',
  }));
}

function typeText(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => String(value)).join(', ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.map(typeText).join(' or ');
  if (schema.type === 'array') {
    if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(typeText).join(', ')}]`;
    return `list of ${schema.items === undefined ? 'anything' : typeText(schema.items).replace(/^(whole number|number|list|name|path)/, '$1s')}`;
  }
  if (schema.type === 'object') return objectText(schema);
  if (schema.type === 'integer') return `whole number${boundsText(schema)}`;
  if (schema.type === 'number') return `number${boundsText(schema)}`;
  if (schema.names !== undefined) return NAMED[schema.names];
  if (schema.type === 'string') return 'text';
  if (schema.type === 'boolean') return 'true or false';
  return 'anything';
}

function objectText({ properties, additionalProperties, required = [] }: Schema): string {
  if (properties === undefined) {
    return typeof additionalProperties === 'object' ? `{name: ${typeText(additionalProperties)}}` : 'object';
  }
  const parts = Object.entries(properties).map(
    ([name, schema]) => `${name}${required.includes(name) ? '' : '?'}: ${typeText(schema)}`,
  );
  return `{${parts.join(', ')}}`;
}

/** Bounds that say more than that numbers are exact. */
function boundsText({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const parts: string[] = [];
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER) parts.push(`at least ${minimum}`);
  if (exclusiveMinimum !== undefined) parts.push(`above ${exclusiveMinimum}`);
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) parts.push(`at most ${maximum}`);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}
