import { messageOf } from '../errors.js';
import { call } from './exchange.js';

// The second process of an exchange: exchange-main.js FOLDER NAME SECONDS
const [folder, name, seconds] = process.argv.slice(2);
try {
  process.stdout.write(JSON.stringify(await call(folder, name, Number(seconds))));
} catch (error) {
  process.stderr.write(messageOf(error));
  process.exitCode = 1;
}
