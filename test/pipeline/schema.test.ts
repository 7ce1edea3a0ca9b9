import { describe, expect, test } from '@jest/globals';
import { TaskRegistry } from '../../lib/pipeline/registry.js';
import { pipelineJsonSchema } from '../../lib/pipeline/schema.js';
import { pluginPath } from '../support/plugins.js';

interface JsonSchema {
  readonly description?: string;
  readonly required?: string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly properties?: Record<string, JsonSchema>;
  readonly oneOf?: JsonSchema[];
  readonly anyOf?: JsonSchema[];
  readonly items?: JsonSchema;
  readonly const?: string;
}

describe('the JSON Schema', () => {
  test('knows each task type with its options, descriptions and the common keys', async () => {
    const registry = new TaskRegistry([]);
    await registry.addPlugin(pluginPath('toy-options'));
    const schema = pipelineJsonSchema(registry) as JsonSchema;
    expect(schema.required).toEqual(['name', 'tasks']);
    expect(schema.additionalProperties).toBe(false);
    const tasks = schema.properties?.tasks.additionalProperties as JsonSchema;
    const [toy] = tasks.oneOf ?? tasks.anyOf ?? [];
    expect(toy.description).toBe('Does nothing, with many options');
    expect(toy.properties?.type.const).toBe('toy-options');
    expect(toy.properties?.graph.description).toBe('The graph');
    expect(toy.required).toEqual(['input', 'blockSize', 'type']);
    expect(Object.keys(toy.properties ?? {})).toEqual(
      expect.arrayContaining(['after', 'retries', 'blockTimeout', 'resources', 'fit']),
    );
    expect(toy.additionalProperties).toBe(false);
    const array = schema.properties?.arrays.additionalProperties as JsonSchema;
    const kinds = array.properties?.operations.items?.oneOf?.map(({ properties }) => properties?.type.const);
    expect(kinds).toEqual(['place', 'channels', 'slice', 'flip', 'scale-shift', 'normalise', 'threshold', 'convert']);
    expect(JSON.stringify(schema)).not.toContain('"kind"');
  });
});
