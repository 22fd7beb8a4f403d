// Every page of the console, one line each.
import './worklists.js';
import './register.js';
import './case.js';
import './inbox.js';
import './center.js';
import './pool.js';
import './directory.js';
import './operations.js';
import './clearing.js';
import './supervision.js';
import './figures.js';
import './webhooks.js';
import './trace.js';
