import { TaskRegistry } from '../../pipeline/registry.js';
import { suggest } from '../../pipeline/suggestion.js';
import { builtInTasks } from '../../tasks/index.js';
import { defineCommand } from '../command.js';
import { ExitCode } from '../exit-code.js';
import { taskListText, tasksPage, taskText } from '../task-text.js';

export const tasksCommand = defineCommand<{ type: string | undefined; markdown: boolean }>({
  command: 'tasks [type]',
  describe: 'List the types of tasks, or the options of one',
  options: (yargs) =>
    yargs
      .positional('type', { type: 'string', describe: 'A type of task, e.g. extract-frags' })
      .option('markdown', { type: 'boolean', default: false, describe: 'All of them as a page in Markdown' }),
  run: async ({ type, markdown }, console) => {
    if (type === undefined) {
      console.out(markdown ? tasksPage(builtInTasks).trimEnd() : taskListText(builtInTasks));
      return ExitCode.complete;
    }
    const definition = new TaskRegistry(builtInTasks).get(type);
    if (definition === undefined) {
      const known = builtInTasks.map((task) => task.type);
      const near = suggest(type, known);
      const hint = near === undefined ? '' : ` (did you mean '${near}'?)`;
      console.error(`blockwright: type: expected one of ${known.join(', ')}, found '${type}'${hint}`);
      return ExitCode.refused;
    }
    console.out(taskText(definition));
    return ExitCode.complete;
  },
});
