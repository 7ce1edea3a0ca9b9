import { TaskRegistry } from '../../pipeline/registry.js';
import { pipelineJsonSchema } from '../../pipeline/schema.js';
import { builtInTasks } from '../../tasks/index.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';

export const schemaCommand = defineCommand<object>({
  command: 'schema',
  describe: 'Print the JSON Schema of pipeline files, for editors',
  options: (yargs) => yargs,
  run: async (_found, console) => {
    const registry = new TaskRegistry(builtInTasks);
    console.out(JSON.stringify(pipelineJsonSchema(registry), undefined, 2));
    return ExitCode.complete;
  },
});
