// Tests are compiled with the library (tsc), then run as plain ES modules: no transform, no module mapping.
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  transform: {},
  testTimeout: 60_000,
};
