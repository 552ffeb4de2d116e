#include "torture.h"
void
half_run(void)
{
}
