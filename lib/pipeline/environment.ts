import { parse } from 'yaml';

/** `$${` stands for `${` itself. */
const VARIABLE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Replaces `${VAR}` in a text of the pipeline file. Where the text stood without quotes, the result is read as YAML
 * again, so that `workers: ${WORKERS}` can be a number.
 *
 * @returns the new value, and a sentence for each variable that could not be replaced
 */
export function replaceVariables(
  text: string,
  environment: NodeJS.ProcessEnv,
  plain: boolean,
): { value: unknown; problems: readonly string[] } {
  const problems: string[] = [];
  const value = text.replaceAll(VARIABLE, (match, name: string | undefined, close: string | undefined) => {
    if (name === undefined) return '${';
    if (close !== '}' || !NAME.test(name)) {
      problems.push(`expected \${NAME} with the name of an environment variable, found '${match}'`);
      return match;
    }
    const found = environment[name];
    if (found === undefined) problems.push(`the environment variable ${name} is not set`);
    return found ?? '';
  });
  if (!plain || value === text || problems.length > 0) return { value, problems };
  try {
    const scalar: unknown = parse(value);
    if (typeof scalar === 'number' || typeof scalar === 'boolean') return { value: scalar, problems };
  } catch {
    // Not YAML: the text stays as it is.
  }
  return { value, problems };
}
