// Lets as many lines be written as a file may have. Everything else works without.

import { sendAsFile } from "./long_paste.js";

sendAsFile(document.getElementById("label"), "lines");
