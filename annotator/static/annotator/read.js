// Pages that only show text: sets their mathematics.
import { setMath } from './math.js'

setMath(document)
