// The order of the categories without a reload: the buttons move a category in place, and a grip drags it (or the arrow keys, on it).
// Without this script the buttons are answered by the server. Nothing is saved before Save.
const list = document.querySelector('.choices.ordered')
const rows = () => [...list.querySelectorAll('.choice')]

const said = document.createElement('p')
said.className = 'hush'
said.setAttribute('role', 'status')
list?.after(said)

function renumber() {
  rows().forEach((row, at, all) => {
    row.querySelector('input[type=hidden]').value = at + 1
    const [up, down] = row.querySelectorAll('button[name=move]')
    up.disabled = at === 0
    down.disabled = at === all.length - 1
  })
}

function tell(row) {
  const place = String(rows().indexOf(row) + 1)
  said.textContent = row.dataset.moved.replace('{place}', place).replace('{count}', String(rows().length))
}

/** Moves the neighbour, never the row itself: it keeps the keyboard, and the pointer that drags it. */
function move(row, way) {
  const all = rows()
  const neighbour = all[all.indexOf(row) + (way === 'up' ? -1 : 1)]
  if (!neighbour) return false
  if (way === 'up') row.after(neighbour)
  else row.before(neighbour)
  renumber()
  return true
}

list?.addEventListener('click', (event) => {
  const button = event.target.closest('button[name=move]')
  if (!button) return
  event.preventDefault()
  const row = button.closest('.choice')
  move(row, button.value.split(':')[0])
  // At either end the pressed button is off, and its twin takes the keyboard.
  if (button.disabled) row.querySelector('button[name=move]:not(:disabled)')?.focus()
  tell(row)
})

for (const row of list ? rows() : []) {
  const grip = document.createElement('button')
  grip.type = 'button'
  grip.className = 'choice-grip'
  grip.textContent = '⠿'
  grip.setAttribute('aria-label', row.dataset.grip)
  row.querySelector('.choice-move').append(grip)
  grip.addEventListener('keydown', (event) => {
    const way = { ArrowUp: 'up', ArrowDown: 'down' }[event.key]
    if (!way) return
    event.preventDefault()
    if (move(row, way)) tell(row)
  })
  grip.addEventListener('pointerdown', (event) => {
    grip.setPointerCapture(event.pointerId)
    row.classList.add('dragged')
  })
  grip.addEventListener('pointermove', ({ pointerId, clientY }) => {
    if (!grip.hasPointerCapture(pointerId)) return
    const all = rows()
    const middle = (other) => other.getBoundingClientRect().top + other.offsetHeight / 2
    const at = all.indexOf(row)
    if (all[at - 1] && clientY < middle(all[at - 1])) move(row, 'up')
    else if (all[at + 1] && clientY > middle(all[at + 1])) move(row, 'down')
  })
  grip.addEventListener('lostpointercapture', () => {
    row.classList.remove('dragged')
    tell(row)
  })
}

// A date that is entered chooses "until a date".
document.getElementById('paused_until')?.addEventListener('input', () => {
  document.getElementById('pause-date').checked = true
})
