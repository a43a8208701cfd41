#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <netdb.h>
#include <arpa/inet.h>
#include <sys/socket.h>
static double now(void){struct timespec t;clock_gettime(CLOCK_MONOTONIC,&t);return t.tv_sec+t.tv_nsec/1e9;}
int main(int argc,char**argv){
  struct addrinfo h={0},*r,*p; h.ai_socktype=SOCK_STREAM; int i=1; char s[64];
  for(;i<argc&&argv[i][0]=='-';i++){
    if(!strcmp(argv[i],"-4"))h.ai_family=AF_INET;
    if(!strcmp(argv[i],"-c"))h.ai_flags|=AI_CANONNAME;
    if(!strcmp(argv[i],"-a"))h.ai_flags|=AI_ADDRCONFIG;
    if(!strcmp(argv[i],"-x")){
      struct sockaddr_in sa={.sin_family=AF_INET}; char host[256]; inet_pton(AF_INET,argv[i+1],&sa.sin_addr);
      double t=now(); int e=getnameinfo((void*)&sa,sizeof sa,host,sizeof host,0,0,NI_NAMEREQD);
      t=now()-t; printf("%.3f %s\n",t,e?gai_strerror(e):host); return 0; }
  }
  for(;i<argc;i++){
  double t=now(); int e=getaddrinfo(argv[i],0,&h,&r); t=now()-t;
  printf("%.3f ",t);
  if(e){printf("%s\n",gai_strerror(e));continue;}
  for(p=r;p;p=p->ai_next){
    void*a=p->ai_family==AF_INET?(void*)&((struct sockaddr_in*)p->ai_addr)->sin_addr:(void*)&((struct sockaddr_in6*)p->ai_addr)->sin6_addr;
    inet_ntop(p->ai_family,a,s,sizeof s); printf("%s%s",p==r?"":" ",s);
    if(p->ai_canonname)printf(" (%s)",p->ai_canonname);
  } printf("\n");fflush(stdout);}
  return 0;}
