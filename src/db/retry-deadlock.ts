// Two transactions that wait for each other's rows: Postgres ends one of them, and nothing of it has happened.

/** For one transaction that is safe to repeat: when Postgres breaks a deadlock by ending it, it is simply done again, five times at
 * the most. `others`: further SQLSTATEs after which that helps. */
export async function retryDeadlock<T>(run: () => Promise<T>, others: readonly string[] = []): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (cause) {
      const { code } = cause as { code?: string }
      if (!code || !['40P01', '40001', ...others].includes(code) || attempt === 5) throw cause
    }
  }
}
