/* libjpeg-turbo generates this file; its only users here are message tables, which are not compiled. */
#define JVERSION "6b  27-Mar-1998"
#define JCOPYRIGHT1 ""
#define JCOPYRIGHT2 ""
#define JCOPYRIGHT_SHORT ""
