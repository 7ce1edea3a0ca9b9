// Tests are compiled with the library (tsc), then run as plain ES modules: no transform, no module mapping.
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  transform: {},
  // what hangs fails; nothing fails because the machine has much to do
  testTimeout: 120_000,
};
