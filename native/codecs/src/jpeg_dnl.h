/* The height of a JPEG that only says it behind its first scan; see jpeg_dnl.c. */
#ifndef JPEG_DNL_H
#define JPEG_DNL_H

/* Forgets the image before. */
void jpeg_dnl_open(void);

/* Looks through the bytes that are new in the window, before libjpeg is lent them. STATUS_DONE: libjpeg may have them;
 * STATUS_NEED_INPUT: the frame has no height, and that has not come yet; or ERROR_EMPTY. */
int jpeg_dnl_look(void);

#endif
