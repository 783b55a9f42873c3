// Two transactions wait for each other's rows. Postgres rolls one of them back.

/**
 * For a transaction that is safe to repeat: if Postgres rolls it back to end a deadlock, it runs again, up to five times.
 * `others`: further SQLSTATEs after which it runs again.
 */
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
