// Where chance in a test begins: at a seed that is printed, so that a failure can be repeated.

/** From the variable of that test, else from TEST_SEED (for all of them), else from the clock. */
export function seedOf(variable: string): number {
  return Number(process.env[variable] ?? process.env['TEST_SEED'] ?? Date.now() % 2 ** 31)
}
