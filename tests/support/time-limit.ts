// Loaded into every test file (--import). A failed test may leave a server or a worker behind that keeps its process alive, which
// no time limit of the runner's ends: so a file ends itself, and says what it was waiting for.

const minutes = Number(process.env['TEST_FILE_MINUTES'] ?? 0)

if (minutes && process.env['NODE_TEST_CONTEXT'])
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ')
    console.error(`${process.argv[1]}: not done after ${minutes} minutes. Open: ${open}.`)
    process.exit(1)
  }, minutes * 60_000).unref()
