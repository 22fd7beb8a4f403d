// Every page of the console, one line each.
import './worklists.js';
import './register.js';
import './case.js';
import './inbox.js';
import './center.js';
import './operations.js';
import './figures.js';
import './trace.js';
