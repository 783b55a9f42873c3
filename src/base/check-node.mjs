// Runs on any Node, before anything else: TypeScript is executed natively, which needs Node 22.18 or newer. `npm install` installs
// a suitable Node into node_modules/.bin. This message is for installations without optional dependencies.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Broadsheet needs Node 22.18 or newer and found ${process.version}. Run "npm install" without --omit=optional, which brings one along.`,
  )
  process.exit(1)
}
