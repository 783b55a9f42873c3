// The growth chart: new and lost subscribers per day (up and down), as SVG. A table contains the same numbers.

import { html, type Html } from '../html.ts'
import { number } from './parts.ts'

export interface GrowthDay {
  /** `6 Mar` */
  label: string
  came: number
  left: number
}

const width = 720
const height = 120

export function growthChart(days: readonly GrowthDay[]): Html {
  const mostUp = Math.max(1, ...days.map((day) => day.came))
  const mostDown = Math.max(0, ...days.map((day) => day.left))
  const unit = height / (mostUp + mostDown)
  const axis = mostUp * unit
  const step = width / days.length
  const bar = (day: GrowthDay, index: number) => {
    const x = (index * step + step * 0.15).toFixed(1)
    const w = (step * 0.7).toFixed(1)
    return html`${
      day.came > 0 &&
      html`<rect
        class="up"
        x="${x}"
        y="${(axis - day.came * unit).toFixed(1)}"
        width="${w}"
        height="${(day.came * unit).toFixed(1)}"
      />`
    }
    ${day.left > 0 && html`<rect class="down" x="${x}" y="${axis.toFixed(1)}" width="${w}" height="${(day.left * unit).toFixed(1)}" />`}`
  }
  const came = days.reduce((sum, day) => sum + day.came, 0)
  const left = days.reduce((sum, day) => sum + day.left, 0)
  return html`<div class="chart">
    <svg
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="In ${days.length} days ${number(came)} came and ${number(left)} left. The table below has each day."
    >
      ${days.map(bar)}
      <line class="axis" x1="0" x2="${width}" y1="${axis.toFixed(1)}" y2="${axis.toFixed(1)}" />
    </svg>
    <p>
      <span>${days[0]?.label}</span> <span>at most ${number(mostUp)} a day</span> <span>${days.at(-1)?.label}</span>
    </p>
  </div>`
}
