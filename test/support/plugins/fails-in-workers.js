// A plugin that is fine where the pipeline is planned and cannot be loaded in a worker.
import toyFill from './toy-fill.js';

if (process.argv.includes('worker')) throw new Error('this machine has no licence');

export default { ...toyFill, type: 'toy-licensed' };
