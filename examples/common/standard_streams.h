// Call first in main(). A descriptor of 0, 1 or 2 that the caller has closed would go to the next
// file or socket that is opened, and be read or written as if it were the user's.
#pragma once

void open_standard_streams();
