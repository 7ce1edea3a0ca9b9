import { TaskRegistry } from '../../pipeline/registry.js';
import { pipelineJsonSchema } from '../../pipeline/schema.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';

export const schemaCommand = defineCommand<object>({
  command: 'schema',
  describe: 'Print the JSON Schema of pipeline files, for editors',
  options: (yargs) => yargs,
  run: async (_found, context) => {
    const registry = new TaskRegistry(await context.definitions());
    context.console.out(JSON.stringify(pipelineJsonSchema(registry), undefined, 2));
    return ExitCode.complete;
  },
});
